// The line below a video: the time, the frame, and each face with its strongest expression, as text and as a button.

import { SAME_S } from "./boxes.js";
import { expression, nameOf } from "./overlay.js";
import { playhead } from "./playhead.js";

const EMPTY = { no_face: "No face in this frame", decode_error: "This frame could not be read" };

export class Moment {
  #line;
  #when;
  #what;
  #none;
  #boxes;
  #buttons = new Map(); // by face

  constructor(line, boxes) {
    [this.#line, this.#boxes] = [line, boxes];
    [this.#when, this.#what, this.#none] = [".when", ".what", ".none"].map((part) => line.querySelector(part));
    line.hidden = false;
    this.isQuiet = false;
  }

  /** While it plays the line changes too fast to be read out. */
  set isQuiet(isQuiet) {
    this.#line.setAttribute("aria-live", isQuiet ? "off" : "polite");
  }

  /** Tells what is shown: `frame` is null where no frame was analysed yet, and undefined while it isn't known. */
  show(timestampS, frame) {
    this.#when.textContent = frame ? `${exactTime(timestampS)} · ${number(timestampS, frame)}` : exactTime(timestampS);
    const faces = frame?.faces ?? [];
    this.#showFaces(faces);
    this.#none.textContent = faces.length ? "" : EMPTY[frame?.status] ?? "";
  }

  #showFaces(faces) {
    const shown = new Set(faces.map((face) => face.faceId));
    for (const [faceId, button] of this.#buttons) {
      if (shown.has(faceId)) continue;
      if (button === document.activeElement) {
        button.lastChild.data = `${nameOf({ faceId }, this.#boxes)} · not in this frame`; // the focus has to be somewhere
      } else {
        button.remove();
        this.#buttons.delete(faceId);
      }
    }
    for (const face of faces) {
      const button = this.#button(face.faceId);
      button.firstChild.className = face.emotion ?? "";
      button.lastChild.data = `${nameOf(face, this.#boxes)} · ${expression(face)}`;
      button.setAttribute("aria-pressed", face.faceId === playhead.faceId);
    }
  }

  #button(faceId) {
    const known = this.#buttons.get(faceId);
    if (known) return known;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "face";
    button.append(document.createElement("i"), "");
    button.addEventListener("click", () => playhead.choose(faceId));
    this.#buttons.set(faceId, button);
    const after = [...this.#buttons.keys()].sort((a, b) => a - b).find((other) => other > faceId);
    this.#what.insertBefore(button, this.#buttons.get(after) ?? null);
    return button;
  }
}

/** h:mm:ss.mmm, cut and not rounded, so that a frame never seems to come before its time. */
export function exactTime(timestampS) {
  const ms = Math.max(0, Math.floor(timestampS * 1000 + 0.001));
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  return `${h}:${two(m)}:${two(s)}.${String(ms % 1000).padStart(3, "0")}`;
}

function two(whole) {
  return String(whole).padStart(2, "0");
}

function number(timestampS, { frame, timestampS: ownS }) {
  return timestampS - ownS > SAME_S ? `${(timestampS - ownS).toFixed(3)} s after frame ${frame}` : `frame ${frame}`;
}
