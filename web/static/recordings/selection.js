// The chosen videos of the list, and what is done with them or with one: by the same forms as without JavaScript, but
// without leaving the page.

import { byId, datum, every } from "../http/elements.js";

const NAMED = 5; // of the videos that are about to be deleted
const UNSURE = "The server did not answer, so this may or may not have been done. Look at the list before you try again.";
/** @type {Record<string, string[]>} */
const FITTING = {
  zip: ["done"],
  cancel: ["queued", "running"],
  retry: ["failed", "cancelled"],
  delete: ["queued", "running", "done", "failed", "cancelled"],
};

const list = byId("list");
const report = byId("report");
const selection = byId("selection", HTMLFormElement);
const single = byId("single", HTMLFormElement);
const all = byId("pick-all", HTMLInputElement);
const chosen = byId("chosen");
const confirmation = byId("confirm", HTMLDialogElement);
const boxes = () => every(list, "input[type=checkbox]", HTMLInputElement);
const ticked = () => boxes().filter((box) => box.checked);

/**
 * @param {() => Promise<void>} look brings the list up to date
 * @param {HTMLElement} refuge gets the focus when what had it is gone
 */
export function watchSelection(look, refuge) {
  for (const element of every(selection, ".scripted")) element.hidden = false;
  forgetReport();
  showSelection();
  list.addEventListener("change", showSelection);
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    showSelection();
  });
  for (const form of [selection, single]) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!(event.submitter instanceof HTMLButtonElement)) return;
      const { formAction, value } = event.submitter;
      const action = datum(event.submitter, "does");
      const ids = form === single ? [value] : ticked().filter((box) => fits(box, action)).map((box) => box.value);
      if (action === "zip") download(ids);
      else if (action === "delete") confirm(ids, () => act(formAction, ids, look, refuge, { confirmed: "yes" }));
      else act(formAction, ids, look, refuge);
    });
  }
}

export function clearSelection() {
  for (const box of ticked()) box.checked = false;
}

/** Say how many are chosen, and for how many of them each button is. */
export function showSelection() {
  const now = ticked();
  selection.hidden = boxes().length === 0;
  selection.classList.toggle("some", now.length > 0);
  all.checked = now.length > 0 && now.length === boxes().length;
  all.indeterminate = now.length > 0 && !all.checked;
  chosen.textContent = now.length ? `${now.length} chosen` : "";
  for (const button of every(selection, "button", HTMLButtonElement)) {
    const number = now.filter((box) => fits(box, datum(button, "does"))).length;
    button.hidden = now.length === 0;
    button.disabled = number === 0;
    button.dataset.number = number && number < now.length ? `(${number})` : "";
  }
}

/** @type {(box: HTMLInputElement, action: string) => boolean} */
function fits(box, action) {
  return FITTING[action].includes(box.closest("li")?.dataset.status ?? "");
}

/** @param {string[]} ids */
function download(ids) {
  const link = document.createElement("a"); // a form that is sent would ask whether to leave the page
  link.href = `${datum(list, "zip")}?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
  link.download = "";
  link.click();
}

/** @type {(ids: string[], proceed: () => void) => void} */
function confirm(ids, proceed) {
  const names = ids.slice(0, NAMED).map((id) => byId(`video-${id}`).textContent);
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : "";
  byId("confirm-text").textContent = names.join(", ") + more;
  confirmation.returnValue = "";
  const answered = () => {
    if (confirmation.returnValue === "delete") proceed();
  };
  confirmation.addEventListener("close", answered, { once: true });
  confirmation.showModal();
}

/** @type {(address: string, ids: string[], look: () => Promise<void>, refuge: HTMLElement, extra?: Record<string, string>) => Promise<void>} */
async function act(address, ids, look, refuge, extra = {}) {
  const body = new URLSearchParams([...ids.map((id) => ["id", id]), ...Object.entries(extra)]);
  let sentences = [UNSURE];
  try {
    const response = await fetch(address, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html"); // the list, or why not
    sentences = [...page.querySelectorAll(response.ok ? "#report p" : ".lone > p:first-of-type")].map((p) => p.textContent);
  } catch {
    // the sentence stands
  }
  report.replaceChildren(...sentences.map(notice));
  clearSelection();
  await look();
  const { activeElement } = document;
  if (!activeElement || activeElement === document.body || activeElement.closest("[hidden]")) refuge.focus();
}

/** @param {string} sentence */
function notice(sentence) {
  return Object.assign(document.createElement("p"), { className: "notice", textContent: sentence });
}

/** The address tells what was done only once: a page that is loaded again has done nothing. */
function forgetReport() {
  const asked = new URLSearchParams(location.search);
  if (!asked.has("did")) return;
  for (const name of ["did", "done", "unfit", "gone", "kept"]) asked.delete(name);
  history.replaceState(null, "", location.pathname + (asked.size ? `?${asked}` : ""));
}
