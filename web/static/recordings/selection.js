// The chosen videos of the list, and what is done with them or with one: by the same forms as without JavaScript, but
// without leaving the page.

const NAMED = 5; // of the videos that are about to be deleted
const UNSURE = "The server did not answer, so this may or may not have been done. Look at the list before you try again.";
const FITTING = {
  zip: ["done"],
  cancel: ["queued", "running"],
  retry: ["failed", "cancelled"],
  delete: ["queued", "running", "done", "failed", "cancelled"],
};

const list = document.getElementById("list");
const report = document.getElementById("report");
const selection = document.getElementById("selection");
const single = document.getElementById("single");
const all = document.getElementById("pick-all");
const chosen = document.getElementById("chosen");
const confirmation = document.getElementById("confirm");
const boxes = () => [...list.querySelectorAll("input[type=checkbox]")];
const ticked = () => boxes().filter((box) => box.checked);
const stateOf = (box) => box.closest("li").dataset.status;

/**
 * @param {() => Promise<void>} look brings the list up to date
 * @param {HTMLElement} refuge gets the focus when what had it is gone
 */
export function watchSelection(look, refuge) {
  all.closest("[hidden]").hidden = false;
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
      const { dataset, formAction, value } = event.submitter;
      const ids = form === single ? [value] : ticked().filter((box) => fits(box, dataset.does)).map((box) => box.value);
      if (dataset.does === "zip") download(ids);
      else if (dataset.does === "delete") confirm(ids, () => act(formAction, ids, look, refuge, { confirmed: "yes" }));
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
  for (const button of selection.querySelectorAll("button")) {
    const number = now.filter((box) => fits(box, button.dataset.does)).length;
    button.hidden = now.length === 0;
    button.disabled = number === 0;
    button.dataset.number = number && number < now.length ? `(${number})` : "";
  }
}

function fits(box, action) {
  return FITTING[action].includes(stateOf(box));
}

function download(ids) {
  const link = document.createElement("a"); // a form that is sent would ask whether to leave the page
  link.href = `${list.dataset.zip}?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
  link.download = "";
  link.click();
}

function confirm(ids, proceed) {
  const names = ids.slice(0, NAMED).map((id) => document.getElementById(`video-${id}`).textContent);
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : "";
  document.getElementById("confirm-text").textContent = names.join(", ") + more;
  confirmation.returnValue = "";
  confirmation.addEventListener("close", () => confirmation.returnValue === "delete" && proceed(), { once: true });
  confirmation.showModal();
}

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
  if (activeElement === document.body || activeElement.closest("[hidden]")) refuge.focus();
}

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
