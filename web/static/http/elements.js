// Elements that a page is known to have, with their type: a template that lacks one is found at once, by name.

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type] what it has to be
 * @returns {T} the element of the page with this id
 * @throws {TypeError} there is none of this type
 */
export function byId(id, type) {
  return checked(document.getElementById(id), `#${id}`, type);
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type] what it has to be
 * @returns {T} the first element in the root that the selector fits
 * @throws {TypeError} there is none of this type
 */
export function one(root, selector, type) {
  return checked(root.querySelector(selector), selector, type);
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type] what all of them have to be
 * @returns {T[]} all elements in the root that the selector fits
 * @throws {TypeError} one is of another type
 */
export function every(root, selector, type) {
  return [...root.querySelectorAll(selector)].map((found) => checked(found, selector, type));
}

/**
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null} the element that the event is about, or the nearest around it that the selector fits
 */
export function around(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * @param {HTMLElement} element
 * @param {string} name as in `dataset`
 * @returns {string}
 * @throws {TypeError} the template doesn't say it
 */
export function datum({ dataset, id }, name) {
  const value = dataset[name];
  if (value === undefined) throw new TypeError(`#${id}: a data attribute ${name} was expected.`);
  return value;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D} what draws on it
 */
export function context(canvas) {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("This browser can't draw on a canvas.");
  return found;
}

/**
 * Write words into an element, unless they stand there: or they would be read aloud again.
 *
 * @param {HTMLElement} element
 * @param {string} words
 */
export function tell(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/**
 * @template {Element} T
 * @param {Element | null} found
 * @param {string} selector
 * @param {new () => T} [type]
 */
function checked(found, selector, type) {
  const wanted = type ?? HTMLElement;
  if (found instanceof wanted) return /** @type {T} */ (found);
  throw new TypeError(`${selector}: a ${wanted.name} was expected, but is ${found?.constructor.name ?? "not there"}.`);
}
