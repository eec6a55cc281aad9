// Records with the camera; the recording then goes the way of any other file.

import { clock } from "../http/quantities.js";

const FORMATS = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"]; // VP8 keeps up on slow machines
const PIECE_MS = 1000; // so that the browser can move what it has out of memory
const TROUBLES = {
  NotAllowedError: "The camera was not allowed. Allow it for this page in the browser's settings, then try again.",
  NotFoundError: "No camera was found. Connect one, then try again.",
  NotReadableError: "The camera can't be used now; another program may hold it. Close that, then try again.",
};

/** @param {(file: File) => void} take called with every recording */
export function setUpCamera(take) {
  const part = (name) => document.getElementById(`camera${name}`);
  const picture = part("-picture");
  let stream = null;
  let recorder = null;
  let ticking = null;

  async function open() {
    part("").hidden = false;
    part("-open").setAttribute("aria-expanded", "true");
    part("-record").disabled = true;
    say("Waiting for the camera. The browser may ask you to allow it.");
    if (!navigator.mediaDevices || !window.MediaRecorder) {
      say("Browsers let a page use the camera only over https or on the same machine. Open this page so, or choose a file.");
      return;
    }
    const sound = part("-sound").checked;
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", height: { ideal: 720 } }, audio: sound });
      if (part("").hidden || sound !== part("-sound").checked) return end(opened); // closed or changed while asking
      end(stream);
      stream = opened;
    } catch (error) {
      say(TROUBLES[error.name] ?? `The camera can't be used: ${error.message}`);
      return;
    }
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      stop();
      part("-record").disabled = true;
      say("The camera was taken away. What was recorded until then is kept.");
    });
    picture.srcObject = stream;
    await picture.play();
    part("-record").disabled = false;
    if (document.activeElement === part("-open")) part("-record").focus();
    say("Ready.");
  }

  function record() {
    const type = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const pieces = [];
    const startedAt = new Date();
    recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
    recorder.addEventListener("dataavailable", ({ data }) => data.size && pieces.push(data));
    recorder.addEventListener("stop", () => {
      recorder = null;
      clearInterval(ticking);
      show(false);
      say("Recorded; it is in the queue below.");
      take(fileOf(pieces, startedAt));
    });
    recorder.start(PIECE_MS);
    show(true);
    ticking = setInterval(() => (part("-clock").textContent = clock(Math.floor((Date.now() - startedAt) / 1000))), 250);
    say("Recording.");
  }

  function stop() {
    if (recorder?.state === "recording") recorder.stop();
  }

  function show(isRecording) {
    part("").classList.toggle("recording", isRecording);
    part("-record").textContent = isRecording ? "Stop recording" : "Start recording";
    part("-sound").disabled = isRecording;
    if (isRecording) part("-clock").textContent = clock(0);
  }

  function close() {
    stop();
    end(stream);
    stream = picture.srcObject = null;
    part("").hidden = true;
    part("-open").setAttribute("aria-expanded", "false");
    part("-open").focus();
  }

  function say(sentence) {
    part("-state").textContent = sentence;
  }

  part("-open").addEventListener("click", () => (part("").hidden ? open() : close()));
  part("-record").addEventListener("click", () => (recorder ? stop() : record()));
  part("-close").addEventListener("click", close);
  part("-sound").addEventListener("change", open);
  addEventListener("beforeunload", (event) => recorder && event.preventDefault());
}

function end(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Camera 2026-11-24 18-40.webm: in the person's own time, without what file systems don't allow in a name. */
function fileOf(pieces, startedAt) {
  const type = pieces[0]?.type.split(";")[0] || "video/webm";
  const two = (number) => String(number).padStart(2, "0");
  const day = `${startedAt.getFullYear()}-${two(startedAt.getMonth() + 1)}-${two(startedAt.getDate())}`;
  const name = `Camera ${day} ${two(startedAt.getHours())}-${two(startedAt.getMinutes())}.${type === "video/mp4" ? "mp4" : "webm"}`;
  return new File(pieces, name, { type, lastModified: startedAt.getTime() });
}
