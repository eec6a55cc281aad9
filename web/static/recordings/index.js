// The start page's upload card: takes recordings into the queue.

import { setUpCamera } from "../uploads/camera.js";
import { takeDrops } from "../uploads/dropping.js";
import { watchOptions } from "../uploads/options.js";
import { createQueue } from "../uploads/queue.js";

const form = document.getElementById("upload");
const file = document.getElementById("file");
const options = watchOptions(form);
const queue = createQueue({
  endpoint: form.dataset.uploads,
  maxBytes: Number(form.dataset.maxBytes),
  accepted: () => document.dispatchEvent(new Event("videos-changed")),
  chooseAgain: () => file.click(),
});
const held = []; // what waits for options that can be understood

file.required = false; // here files are sent when they are chosen, and the form is for browsers without scripts
file.multiple = true;
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("choose").addEventListener("click", () => file.click());
file.addEventListener("cancel", queue.forgetSought);
file.addEventListener("change", () => {
  const files = [...file.files];
  file.value = ""; // or choosing the same file again would be no change
  if (files.length) take(files);
});
takeDrops(form.closest(".card"), form.querySelector(".drop"), take);
setUpCamera((recording) => take([recording], { canReturn: false }));
form.addEventListener("change", release);

function take(files, origin = {}) {
  held.push({ files, origin });
  release();
}

function release() {
  if (!held.length) return;
  const chosen = options.read();
  if (chosen === null) return options.complain();
  for (const { files, origin } of held.splice(0)) queue.add(files, chosen, origin);
}
