// Makes a part of a page like a newer version of itself and touches only what differs, so that focus, ticked boxes,
// scroll positions and running transitions stay.

/**
 * @param {Element} shown in the page; it is changed
 * @param {Element} wanted the newer version of it; it is used up
 */
export function morph(shown, wanted) {
  for (const { name, value } of wanted.attributes) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  for (const { name } of [...shown.attributes]) if (!wanted.hasAttribute(name)) shown.removeAttribute(name);
  const named = new Map([...shown.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = shown.firstChild;
  for (const child of [...wanted.childNodes]) {
    while (place && isBlank(place) && !isBlank(child)) { // pages and fragments differ in the space around a part
      const blank = place;
      place = place.nextSibling;
      blank.remove();
    }
    const id = idOf(child);
    const match = id ? named.get(id) : place;
    if (!match || !isAlike(match, child)) {
      shown.insertBefore(child, place);
    } else {
      if (match === place) place = place.nextSibling;
      else shown.insertBefore(match, place);
      if (match instanceof Element && child instanceof Element) morph(match, child);
      else if (match.nodeValue !== child.nodeValue) match.nodeValue = child.nodeValue;
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** @type {(shown: Node, wanted: Node) => boolean} */
function isAlike(shown, wanted) {
  return shown.nodeName === wanted.nodeName && idOf(shown) === idOf(wanted);
}

/** @param {Node} node */
function idOf(node) {
  return node instanceof Element ? node.id : "";
}

/** @param {Node} node */
function isBlank(node) {
  return node instanceof Text && !node.data.trim();
}
