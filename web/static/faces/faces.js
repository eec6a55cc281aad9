// The cards of the faces: which one is looked at, and changes without a new page. Every change is one of the forms that
// also work without this script; the cards are then shown anew by the server.

import { playhead } from "../timeline/playhead.js";

/** @param {HTMLElement} region element whose data-url gives its content */
export function showFaces(region) {
  const said = document.getElementById("faces-said");
  prepare(region);

  region.addEventListener("click", ({ target }) => {
    const look = target.closest("[data-look]");
    if (look) playhead.choose(Number(look.dataset.look));
    if (target.closest("[data-cancel]")) close(target.closest("details"));
  });
  region.addEventListener("keydown", (event) => {
    const edit = event.target.closest(".face-edit[open]");
    if (event.key !== "Escape" || !edit) return;
    event.preventDefault();
    close(edit);
  });
  region.addEventListener("toggle", ({ target }) => opened(target), true); // it doesn't bubble
  region.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { target: form, submitter } = event;
    const wanted = change(new FormData(form, submitter));
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

/** The fields of a form as the API takes them. */
function change(fields) {
  const wanted = Object.fromEntries(fields);
  if ("name" in wanted) wanted.name ||= null;
  if ("hidden" in wanted) wanted.hidden = wanted.hidden === "yes";
  if ("merged_into" in wanted) wanted.merged_into = wanted.merged_into === "none" ? null : Number(wanted.merged_into);
  return wanted;
}

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

async function renew(region) {
  const open = [...region.querySelectorAll(".faces-more[open]")].map((details) => details.id);
  try {
    const response = await fetch(region.dataset.url);
    if (!response.ok) throw new Error(response.status);
    region.innerHTML = await response.text();
  } catch {
    return location.reload(); // the change is made, only not shown
  }
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  prepare(region);
}

/** Shows what works with this script alone. */
function prepare(region) {
  for (const button of region.querySelectorAll("[data-look], [data-cancel]")) button.hidden = false;
  mark(region);
}

function mark(region) {
  for (const button of region.querySelectorAll("[data-look]")) {
    const chosen = Number(button.dataset.look) === playhead.faceId;
    button.setAttribute("aria-pressed", chosen);
    button.closest(".face-card").classList.toggle("chosen", chosen);
  }
}

function opened(details) {
  if (!details.matches(".face-edit[open]")) return;
  const field = details.querySelector("input, select");
  field.focus();
  if (field.matches("input")) field.select();
}

function close(details) {
  const form = details.querySelector("form");
  form.reset();
  form.querySelector(".refusal")?.remove();
  details.open = false;
  details.querySelector("summary").focus();
}

function refuse(form, sentence) {
  const refusal = form.querySelector(".refusal") ?? form.appendChild(document.createElement("p"));
  refusal.className = "refusal";
  refusal.role = "alert";
  refusal.textContent = sentence;
}

function outcome(form, wanted, card) {
  const label = card.name ?? `Face ${card.face_id}`;
  if (wanted.hidden === true) return `${label} is hidden.`;
  if (wanted.hidden === false) return `${label} is shown again.`;
  if (wanted.merged_into) return `Face ${form.action.match(/\d+$/)[0]} counts as ${label} now.`;
  if (wanted.merged_into === null) return `${label} was split off.`;
  return card.name ? `Face ${card.face_id} is called ${label} now.` : `${label} has no name now.`;
}

/** The card that was changed, or the line that it is folded away under. */
function focus(faceId) {
  const card = document.getElementById(`face-${faceId}`);
  const folded = card?.closest("details:not([open])");
  (folded ? folded.querySelector("summary") : card)?.focus();
}
