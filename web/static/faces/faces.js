// The cards of the faces: which one is looked at, and changes without a new page. Every change is one of the forms that
// also work without this script; the cards are then shown anew by the server.

import { around, byId, datum, every, one } from "../http/elements.js";
import { playhead } from "../timeline/playhead.js";

/**
 * @typedef {{card: Api.Face, sentence?: undefined} | {card?: undefined, sentence: string}} Answer of the server: the face
 *   as it is then, or why not
 */

/** @param {HTMLElement} region element whose data-url gives its content */
export function showFaces(region) {
  const said = byId("faces-said");
  prepare(region);

  region.addEventListener("click", (event) => {
    const look = around(event, "[data-look]");
    if (look) playhead.choose(Number(look.dataset.look));
    const edit = around(event, "[data-cancel]")?.closest("details");
    if (edit) close(edit);
  });
  region.addEventListener("keydown", (event) => {
    const edit = around(event, ".face-edit[open]");
    if (event.key !== "Escape" || !(edit instanceof HTMLDetailsElement)) return;
    event.preventDefault();
    close(edit);
  });
  region.addEventListener("toggle", ({ target }) => opened(target), true); // it doesn't bubble
  region.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { target: form, submitter } = event;
    if (!(form instanceof HTMLFormElement && submitter instanceof HTMLButtonElement)) return;
    const wanted = change(new FormData(form, submitter));
    said.textContent = "";
    for (const refusal of every(region, ".refusal")) refusal.remove();
    submitter.disabled = true;
    const { card, sentence } = await ask(form.action, wanted);
    submitter.disabled = false;
    if (!card) return refuse(form, sentence);
    await renew(region);
    said.textContent = outcome(form, wanted, card);
    focus(card.face_id);
    playhead.changed();
  });
  playhead.addEventListener("chosen", () => mark(region));
}

/**
 * The fields of a form as the API takes them.
 *
 * @param {FormData} fields
 * @returns {Api.FaceChange}
 */
function change(fields) {
  const [name, hidden, mergedInto] = ["name", "hidden", "merged_into"].map((field) => fields.get(field));
  return {
    ...(name !== null && { name: String(name) || null }),
    ...(hidden !== null && { hidden: hidden === "yes" }),
    ...(mergedInto !== null && { merged_into: mergedInto === "none" ? null : numberIn(String(mergedInto)) }),
  };
}

/**
 * What isn't a number is left for the server to refuse: null would split the face off.
 *
 * @param {string} typed
 */
function numberIn(typed) {
  return /^\d{1,10}$/.test(typed.trim()) ? Number(typed) : typed;
}

/** @type {(action: string, wanted: Api.FaceChange) => Promise<Answer>} */
async function ask(action, wanted) {
  try {
    const response = await fetch(`/api/v1${new URL(action).pathname}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wanted),
    });
    const body = await response.json();
    return response.ok ? { card: body } : { sentence: body.detail };
  } catch {
    return { sentence: "The server could not be reached; nothing was changed. Try again." };
  }
}

/** @param {HTMLElement} region */
async function renew(region) {
  const open = [...region.querySelectorAll(".faces-more[open]")].map((details) => details.id);
  try {
    const response = await fetch(datum(region, "url"));
    if (!response.ok) throw new Error(`faces: ${response.status}`);
    region.innerHTML = await response.text();
  } catch {
    return location.reload(); // the change is made, only not shown
  }
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  prepare(region);
}

/**
 * Shows what works with this script alone.
 *
 * @param {HTMLElement} region
 */
function prepare(region) {
  for (const button of every(region, "[data-look], [data-cancel]")) button.hidden = false;
  mark(region);
}

/** @param {HTMLElement} region */
function mark(region) {
  for (const button of every(region, "[data-look]")) {
    const chosen = Number(button.dataset.look) === playhead.faceId;
    button.setAttribute("aria-pressed", String(chosen));
    button.closest(".face-card")?.classList.toggle("chosen", chosen);
  }
}

/** @param {EventTarget | null} details */
function opened(details) {
  if (!(details instanceof HTMLDetailsElement && details.matches(".face-edit[open]"))) return;
  const field = one(details, "input, select");
  field.focus();
  if (field instanceof HTMLInputElement) field.select();
}

/** @param {HTMLDetailsElement} details */
function close(details) {
  const form = one(details, "form", HTMLFormElement);
  form.reset();
  form.querySelector(".refusal")?.remove();
  details.open = false;
  one(details, "summary").focus();
}

/** @type {(form: HTMLFormElement, sentence: string) => void} */
function refuse(form, sentence) {
  const refusal = document.createElement("p");
  refusal.className = "refusal";
  refusal.role = "alert";
  refusal.textContent = sentence;
  form.append(refusal);
}

/** @type {(form: HTMLFormElement, wanted: Api.FaceChange, card: Api.Face) => string} */
function outcome(form, wanted, card) {
  const label = card.name ?? `Face ${card.face_id}`;
  if (wanted.hidden === true) return `${label} is hidden.`;
  if (wanted.hidden === false) return `${label} is shown again.`;
  if (wanted.merged_into) return `Face ${form.action.match(/\d+$/)?.[0]} counts as ${label} now.`;
  if (wanted.merged_into === null) return `${label} was split off.`;
  return card.name ? `Face ${card.face_id} is called ${label} now.` : `${label} has no name now.`;
}

/**
 * The card that was changed, or the line that it is folded away under.
 *
 * @param {number} faceId
 */
function focus(faceId) {
  const card = document.getElementById(`face-${faceId}`);
  const folded = card?.closest("details:not([open])");
  (folded ? one(folded, "summary") : card)?.focus();
}
