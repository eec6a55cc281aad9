// The start page's upload card: sends a recording with a progress bar.

const form = document.getElementById("upload");
const file = document.getElementById("file");
const drop = form.querySelector(".drop");
const submit = form.querySelector("button[type=submit]");
const sending = document.getElementById("sending");
const bar = document.getElementById("sending-bar");
const text = document.getElementById("sending-text");
const refusal = document.getElementById("refusal");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = file.files[0];
  if (chosen && chosen.size > Number(form.dataset.maxBytes)) {
    refuse(`A recording may have up to ${megabytes(form.dataset.maxBytes)} here; this one has ${megabytes(chosen.size)}.`);
  } else {
    send(chosen);
  }
});

function send(chosen) {
  const body = new FormData(form);
  const request = new XMLHttpRequest(); // fetch() doesn't tell how much was sent
  const startedAt = performance.now();
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = loaded / total;
    const bytesPerS = loaded / ((performance.now() - startedAt) / 1000);
    const leftS = Math.ceil((total - loaded) / bytesPerS);
    text.textContent =
      loaded < total
        ? `Sending: ${megabytes(loaded)} of ${megabytes(total)}, ${megabytes(bytesPerS)}/s, about ${leftS} s left`
        : `Checking ${chosen.name}`;
    if (loaded >= total) bar.removeAttribute("value");
  });
  request.addEventListener("load", () => finish(request));
  request.addEventListener("error", () => refuse("The connection was lost before the end. Upload the recording again."));
  request.addEventListener("abort", () => refuse("The upload was stopped. Nothing of it is kept."));
  document.getElementById("sending-stop").onclick = () => request.abort();
  refusal.hidden = true;
  sending.hidden = false;
  submit.disabled = true;
  text.textContent = "Sending";
  bar.value = 0;
  request.open("POST", form.dataset.api);
  request.responseType = "json";
  request.send(body);
}

function finish(request) {
  const answer = request.response;
  if (request.status < 300 && answer) {
    location.assign(answer.links.page + (answer.duplicate ? "?again=1" : ""));
  } else {
    refuse(answer?.detail ?? `The server answered with ${request.status}. Try again.`);
  }
}

function refuse(sentence) {
  refusal.textContent = sentence;
  refusal.hidden = false;
  sending.hidden = true;
  submit.disabled = false;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;
}

for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) file.files = event.dataTransfer.files;
});
