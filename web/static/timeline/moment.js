// The line below a video: the time, the frame, and each face with its strongest expression, as text and as a button.

import { SAME_S } from "./boxes.js";
import { one } from "../http/elements.js";
import { expression, nameOf } from "./overlay.js";
import { playhead } from "./playhead.js";

/** @import { Boxes, Face, Frame } from "./boxes.js" */

/** @type {Partial<Record<Api.FrameStatus, string>>} */
const EMPTY = { no_face: "No face in this frame", decode_error: "This frame could not be read" };

/** @typedef {{button: HTMLButtonElement, dot: HTMLElement, words: Text}} FaceButton */

export class Moment {
  #line;
  #when;
  #what;
  #none;
  #boxes;
  /** @type {Map<number, FaceButton>} */
  #buttons = new Map(); // by face

  /**
   * @param {HTMLElement} line
   * @param {Boxes} boxes
   */
  constructor(line, boxes) {
    this.#line = line;
    this.#when = one(line, ".when");
    this.#what = one(line, ".what");
    this.#none = one(line, ".none");
    this.#boxes = boxes;
    line.hidden = false;
    this.isQuiet = false;
  }

  /**
   * While it plays the line changes too fast to be read out.
   *
   * @param {boolean} isQuiet
   */
  set isQuiet(isQuiet) {
    this.#line.setAttribute("aria-live", isQuiet ? "off" : "polite");
  }

  /**
   * Tells what is shown.
   *
   * @param {number} timestampS
   * @param {Frame | null | undefined} frame null where no frame was analysed yet, and undefined while it isn't known
   */
  show(timestampS, frame) {
    this.#when.textContent = frame ? `${exactTime(timestampS)} · ${number(timestampS, frame)}` : exactTime(timestampS);
    const faces = frame?.faces ?? [];
    this.#showFaces(faces);
    this.#none.textContent = faces.length || !frame ? "" : (EMPTY[frame.status] ?? "");
  }

  /** @param {Face[]} faces */
  #showFaces(faces) {
    const shown = new Set(faces.map((face) => face.faceId));
    for (const [faceId, { button, words }] of this.#buttons) {
      if (shown.has(faceId)) continue;
      if (button === document.activeElement) {
        words.data = `${nameOf({ faceId }, this.#boxes)} · not in this frame`; // the focus has to be somewhere
      } else {
        button.remove();
        this.#buttons.delete(faceId);
      }
    }
    for (const face of faces) {
      const { button, dot, words } = this.#button(face.faceId);
      dot.className = face.emotion ?? "";
      words.data = `${nameOf(face, this.#boxes)} · ${expression(face)}`;
      button.setAttribute("aria-pressed", String(face.faceId === playhead.faceId));
    }
  }

  /**
   * @param {number} faceId
   * @returns {FaceButton}
   */
  #button(faceId) {
    const known = this.#buttons.get(faceId);
    if (known) return known;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "face";
    const made = { button, dot: document.createElement("i"), words: new Text() };
    button.append(made.dot, made.words);
    button.addEventListener("click", () => playhead.choose(faceId));
    const [after] = [...this.#buttons].filter(([other]) => other > faceId).sort(([a], [b]) => a - b);
    this.#what.insertBefore(button, after?.[1].button ?? null);
    this.#buttons.set(faceId, made);
    return made;
  }
}

/**
 * h:mm:ss.mmm, cut and not rounded, so that a frame never seems to come before its time.
 *
 * @param {number} timestampS
 */
export function exactTime(timestampS) {
  const ms = Math.max(0, Math.floor(timestampS * 1000 + 0.001));
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  return `${h}:${two(m)}:${two(s)}.${String(ms % 1000).padStart(3, "0")}`;
}

/** @param {number} whole */
function two(whole) {
  return String(whole).padStart(2, "0");
}

/** @type {(timestampS: number, frame: Frame) => string} */
function number(timestampS, { frame, timestampS: ownS }) {
  return timestampS - ownS > SAME_S ? `${(timestampS - ownS).toFixed(3)} s after frame ${frame}` : `frame ${frame}`;
}
