// Records with the camera; the recording then goes the way of any other file.

import { byId } from "../http/elements.js";
import { clock } from "../http/quantities.js";

const FORMATS = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"]; // VP8 keeps up on slow machines
const PIECE_MS = 1000; // so that the browser can move what it has out of memory
/** @type {Record<string, string>} */
const TROUBLES = {
  NotAllowedError: "The camera was not allowed. Allow it for this page in the browser's settings, then try again.",
  NotFoundError: "No camera was found. Connect one, then try again.",
  NotReadableError: "The camera can't be used now; another program may hold it. Close that, then try again.",
};

/** @param {(file: File) => void} take called with every recording */
export function setUpCamera(take) {
  const card = byId("camera");
  const picture = byId("camera-picture", HTMLVideoElement);
  const opener = byId("camera-open", HTMLButtonElement);
  const recordButton = byId("camera-record", HTMLButtonElement);
  const time = byId("camera-clock");
  const withSound = byId("camera-sound", HTMLInputElement);
  /** @type {MediaStream | null} */
  let stream = null;
  /** @type {MediaRecorder | null} */
  let recorder = null;
  let ticking = 0;

  async function open() {
    card.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    recordButton.disabled = true;
    say("Waiting for the camera. The browser may ask you to allow it.");
    if (!navigator.mediaDevices || !window.MediaRecorder) {
      say("Browsers let a page use the camera only over https or on the same machine. Open this page so, or choose a file.");
      return;
    }
    const sound = withSound.checked;
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", height: { ideal: 720 } }, audio: sound });
      if (card.hidden || sound !== withSound.checked) { // closed or changed while asking
        end(opened);
        return;
      }
      end(stream);
      stream = opened;
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      say(TROUBLES[name] ?? `The camera can't be used: ${message}`);
      return;
    }
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      stop();
      recordButton.disabled = true;
      say("The camera was taken away. What was recorded until then is kept.");
    });
    picture.srcObject = stream;
    await picture.play();
    recordButton.disabled = false;
    if (document.activeElement === opener) recordButton.focus();
    say("Ready.");
  }

  function record() {
    if (!stream) return;
    const type = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    /** @type {Blob[]} */
    const pieces = [];
    const startedAt = new Date();
    recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
    recorder.addEventListener("dataavailable", ({ data }) => {
      if (data.size) pieces.push(data);
    });
    recorder.addEventListener("stop", () => {
      recorder = null;
      clearInterval(ticking);
      show(false);
      say("Recorded; it is in the queue below.");
      take(fileOf(pieces, startedAt));
    });
    recorder.start(PIECE_MS);
    show(true);
    ticking = setInterval(() => (time.textContent = clock(Math.floor((Date.now() - startedAt.getTime()) / 1000))), 250);
    say("Recording.");
  }

  function stop() {
    if (recorder?.state === "recording") recorder.stop();
  }

  /** @param {boolean} isRecording */
  function show(isRecording) {
    card.classList.toggle("recording", isRecording);
    recordButton.textContent = isRecording ? "Stop recording" : "Start recording";
    withSound.disabled = isRecording;
    if (isRecording) time.textContent = clock(0);
  }

  function close() {
    stop();
    end(stream);
    stream = picture.srcObject = null;
    card.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  }

  /** @param {string} sentence */
  function say(sentence) {
    byId("camera-state").textContent = sentence;
  }

  opener.addEventListener("click", () => (card.hidden ? open() : close()));
  recordButton.addEventListener("click", () => (recorder ? stop() : record()));
  byId("camera-close").addEventListener("click", close);
  withSound.addEventListener("change", open);
  addEventListener("beforeunload", (event) => {
    if (recorder) event.preventDefault();
  });
}

/** @param {MediaStream | null} stream */
function end(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * Camera 2026-11-24 18-40.webm: in the person's own time, without what file systems don't allow in a name.
 *
 * @type {(pieces: Blob[], startedAt: Date) => File}
 */
function fileOf(pieces, startedAt) {
  const type = pieces[0]?.type.split(";")[0] || "video/webm";
  /** @type {(number: number) => string} */
  const two = (number) => String(number).padStart(2, "0");
  const day = `${startedAt.getFullYear()}-${two(startedAt.getMonth() + 1)}-${two(startedAt.getDate())}`;
  const name = `Camera ${day} ${two(startedAt.getHours())}-${two(startedAt.getMinutes())}.${type === "video/mp4" ? "mp4" : "webm"}`;
  return new File(pieces, name, { type, lastModified: startedAt.getTime() });
}
