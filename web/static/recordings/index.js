// The start page's upload card: takes recordings into the queue.

import { setUpCamera } from "../uploads/camera.js";
import { takeDrops } from "../uploads/dropping.js";
import { byId, datum, one } from "../http/elements.js";
import { watchOptions } from "../uploads/options.js";
import { createQueue } from "../uploads/queue.js";

/** @import { Origin } from "../uploads/queue.js" */

const form = byId("upload", HTMLFormElement);
const file = byId("file", HTMLInputElement);
const options = watchOptions(form);
const queue = createQueue({
  endpoint: datum(form, "uploads"),
  maxBytes: Number(datum(form, "maxBytes")),
  accepted: () => document.dispatchEvent(new Event("videos-changed")),
  chooseAgain: () => file.click(),
});
/** @type {{files: File[], origin: Origin}[]} */
const held = []; // what waits for options that can be understood

file.required = false; // here files are sent when they are chosen, and the form is for browsers without scripts
file.multiple = true;
form.addEventListener("submit", (event) => event.preventDefault());
byId("choose").addEventListener("click", () => file.click());
file.addEventListener("cancel", queue.forgetSought);
file.addEventListener("change", () => {
  const files = [...(file.files ?? [])];
  file.value = ""; // or choosing the same file again would be no change
  if (files.length) take(files);
});
/** @type {HTMLElement | null} */
const card = form.closest(".card");
if (card) takeDrops(card, one(form, ".drop"), take);
setUpCamera((recording) => take([recording], { canReturn: false }));
form.addEventListener("change", release);

/** @type {(files: File[], origin?: Origin) => void} */
function take(files, origin = {}) {
  held.push({ files, origin });
  release();
}

function release() {
  if (!held.length) return;
  const chosen = options.read();
  if (chosen === null) {
    options.complain();
    return;
  }
  for (const { files, origin } of held.splice(0)) queue.add(files, chosen, origin);
}
