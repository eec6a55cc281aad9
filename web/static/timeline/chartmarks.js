// What lies over the chart's figure: a line where the recording is, another with the values where a person points, and
// the stretch that is being selected.

import { one } from "../http/elements.js";
import { clock } from "./figure.js";
import { playhead } from "./playhead.js";
import { readout } from "./readout.js";

/**
 * @import { Place, Scene } from "./figure.js"
 *
 * @typedef {{words: string, emotion?: Api.Emotion}} Line of the values at a moment
 */

export class Marks {
  /**
   * @param {HTMLElement} plot holds the elements
   * @param {{fromS: number, toS: number, durationS: number, scene: Scene | null}} view with the scene that was drawn last
   */
  constructor(plot, view) {
    this.plot = plot;
    this.view = view;
    this.area = one(plot, ".area");
    this.cursor = one(plot, ".cursor");
    this.pointed = one(plot, ".pointed");
    this.selection = one(plot, ".selection");
    this.tip = one(plot, ".tip");
    /** @type {number | null} */
    this.pointedS = null;
  }

  /**
   * Puts all of them where they belong once the figure is drawn.
   *
   * @param {Place} place
   */
  renew({ left, right, top, bottom }) {
    Object.assign(this.area.style, {
      left: `${left}px`, width: `${right - left}px`, top: `${top}px`, height: `${bottom - top}px`,
    });
    this.place();
    this.#showPointed(this.pointedS);
  }

  place() {
    const { timestampS } = playhead;
    this.cursor.hidden = timestampS < this.view.fromS || timestampS > this.view.toS;
    this.cursor.style.transform = `translateX(${this.#x(timestampS)}px)`;
    this.area.setAttribute("aria-valuenow", Math.min(timestampS, this.view.durationS).toFixed(2));
  }

  /** Values where the recording is, for who moves it by keys. */
  tell() {
    if (document.activeElement !== this.area) return;
    this.area.setAttribute("aria-valuetext", this.#read(playhead.timestampS).map(({ words }) => words).join(", "));
    if (this.area.matches(":focus-visible")) this.#showPointed(playhead.timestampS);
  }

  /**
   * Shows the values of a moment, or of none (null).
   *
   * @param {number | null} timestampS
   */
  point(timestampS) {
    this.pointedS = timestampS;
    this.#showPointed(timestampS);
  }

  /**
   * Shows a stretch between client coordinates, or none.
   *
   * @param {number} [from]
   * @param {number} [to]
   */
  select(from, to) {
    this.selection.hidden = from === undefined || to === undefined;
    if (from === undefined || to === undefined) return;
    const { left, width } = this.area.getBoundingClientRect();
    const [a, b] = [from, to].map((x) => Math.min(Math.max(x - left, 0), width)).sort((one, two) => one - two);
    Object.assign(this.selection.style, { left: `${a}px`, width: `${b - a}px` });
  }

  /** @param {number} timestampS */
  #x(timestampS) {
    const { fromS, toS } = this.view;
    return ((timestampS - fromS) / (toS - fromS)) * this.area.clientWidth;
  }

  /** @param {number | null} timestampS */
  #showPointed(timestampS) {
    this.pointed.hidden = this.tip.hidden = timestampS === null;
    if (timestampS === null) return;
    const x = this.#x(timestampS);
    this.pointed.style.transform = `translateX(${x}px)`;
    this.tip.replaceChildren(...this.#read(timestampS).map(item));
    const [least, most] = [0, this.plot.clientWidth - this.tip.offsetWidth];
    const aside = this.area.offsetLeft + x + (x > this.area.clientWidth / 2 ? -14 - this.tip.offsetWidth : 14);
    this.tip.style.transform = `translate(${Math.min(Math.max(aside, least), most)}px, 8px)`;
  }

  /**
   * The time, and for each analysis what it says of it.
   *
   * @param {number} timestampS
   * @returns {Line[]}
   */
  #read(timestampS) {
    const { scene } = this.view;
    const values = scene?.panels.flatMap(({ answer, label }) => readout(answer, label, timestampS, scene)) ?? [];
    return [{ words: clock(timestampS, 0.01) }, ...values];
  }
}

/** @param {Line} line */
function item({ words, emotion }) {
  const line = document.createElement("div");
  if (emotion) line.append(Object.assign(document.createElement("i"), { className: "dot" }));
  line.append(words);
  line.className = emotion ?? "";
  return line;
}
