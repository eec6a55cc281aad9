// The chart of a done video: which face, which emotions, which stretch of time, and which other analysis of the recording
// to compare with. figure.js draws it, curves.js has the data, gestures.js says what a person does, chartmarks.js what is
// pointed at.
//
// The notes on the recording are marked on it: `playhead.notes`, and the event "notes" when they have changed.

import { Analyses } from "./analyses.js";
import { CanvasSurface } from "./canvas.js";
import { Marks } from "./chartmarks.js";
import { save, svg, png } from "./chartsvg.js";
import { nearest } from "./curves.js";
import { byId, datum, every, one, tell } from "../http/elements.js";
import { clock, colours, draw } from "./figure.js";
import { follow, pan, zoom } from "./gestures.js";
import { playhead } from "./playhead.js";
import { explainBand, manner, stretch, title } from "./readout.js";

/** @import { Scene } from "./figure.js" */

const LEAST_S = 0.2; // that can be shown
const SETTLED_MS = 120; // a view that stays this long gets finer data

/**
 * Draw the chart. Its controls are disabled until its data is there.
 *
 * @param {HTMLElement} root
 * @returns {Promise<boolean>} whether the data could be loaded
 */
export function drawChart(root) {
  return new Chart(root).open();
}

class Chart {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.note = one(root, "#chart-note");
    this.plot = one(root, "#plot");
    this.faces = one(root, "#face", HTMLSelectElement);
    /** @type {HTMLSelectElement | null} */
    this.compare = root.querySelector("select#compare");
    this.smooth = one(root, "#smooth", HTMLSelectElement);
    this.buttons = every(root, ".emotion", HTMLButtonElement);
    this.canvas = document.createElement("canvas");
    this.marks = new Marks(this.plot, this);
    this.area = this.marks.area;
    this.analyses = new Analyses(datum(root, "url"), () => this.#points());
    this.fromS = 0;
    this.toS = 0;
    /** @type {Scene | null} */
    this.scene = null; // as it was drawn last
    /** @type {number | null} */
    this.frame = null; // in which it is drawn next
    /** @type {number | null} */
    this.askedS = null; // where the last key has led
    this.lastS = 0; // where the recording was
    this.settling = 0; // the timer before finer data is loaded
    /** @type {AbortController | null} */
    this.loading = null;
    /** @type {AbortController | null} */
    this.telling = null;
    this.missing = ""; // what could not be loaded, in a sentence
    this.coarse = ""; // the same of finer data
    this.renewals = 0;
  }

  async open() {
    this.root.hidden = false;
    try {
      await this.analyses.open(playhead.faceId ?? "main");
    } catch {
      this.note.textContent = "The chart could not be loaded. Reload the page; the CSV has the same data.";
      return false;
    }
    [this.fromS, this.toS] = this.#analysed();
    this.#fillFaces();
    this.canvas.setAttribute("aria-hidden", "true");
    this.plot.prepend(this.canvas);
    this.area.hidden = false;
    this.area.setAttribute("aria-valuemax", this.durationS.toFixed(2));
    this.#listen();
    const { faceId } = playhead;
    if (this.analyses.knows(faceId)) await this.#choose(faceId); // it was chosen while the chart was loaded
    else if (this.analyses.face) playhead.choose(this.analyses.face.face_id);
    await this.#compareWith(this.compare?.value ?? "");
    return true;
  }

  get durationS() {
    return this.analyses.own.durationS;
  }

  #listen() {
    follow(this.area, this);
    for (const button of this.buttons) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        this.#draw();
      });
    }
    this.faces.addEventListener("change", () => playhead.choose(Number(this.faces.value)));
    this.smooth.addEventListener("change", () => this.#changed());
    this.compare?.addEventListener("change", () => this.#compareWith(this.compare?.value ?? ""));
    playhead.addEventListener("chosen", () => this.#choose(playhead.faceId));
    playhead.addEventListener("changed", () => this.#reload()); // faces were named, merged or hidden
    playhead.addEventListener("notes", () => this.#draw());
    playhead.addEventListener("moved", () => this.#moved());
    this.area.addEventListener("focus", () => this.marks.tell());
    this.area.addEventListener("blur", () => this.marks.point(null));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    new ResizeObserver(() => this.#changed()).observe(this.plot);
    const buttons = {
      "zoom-in": () => zoom(this, 0.5, this.cursorS()),
      "zoom-out": () => zoom(this, 2),
      earlier: () => pan(this, -0.5),
      later: () => pan(this, 0.5),
      whole: () => this.whole(),
      analysed: () => this.show(...this.#analysed()),
      "save-svg": () => this.#saveSvg(),
      "save-png": () => this.#savePng(),
    };
    for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);
    byId("analysed").hidden = !this.analyses.own.clip;
    for (const controls of every(this.root, "fieldset", HTMLFieldSetElement)) controls.disabled = false;
  }

  // What gestures.js asks of a view.

  /** @type {(fromS: number, toS: number) => void} */
  show(fromS, toS) {
    const { durationS } = this;
    const length = Math.min(durationS, Math.max(Math.min(LEAST_S, durationS), toS - fromS));
    const start = toS - fromS < length ? (fromS + toS - length) / 2 : fromS;
    this.fromS = Math.min(Math.max(0, start), durationS - length);
    this.toS = this.fromS + length;
    this.#changed();
  }

  whole() {
    this.show(0, this.durationS);
  }

  box() {
    return this.area.getBoundingClientRect();
  }

  /** @param {number} clientX */
  time(clientX) {
    const { left, width } = this.box();
    return this.fromS + Math.min(Math.max((clientX - left) / width, 0), 1) * (this.toS - this.fromS);
  }

  /** @param {number} timestampS */
  seek(timestampS) {
    const moments = this.#answer()?.quality.timestamp_s ?? [];
    const place = this.#answer()?.bucketS === 0 ? nearest(moments, timestampS) : -1;
    playhead.seek(place < 0 ? timestampS : moments[place]);
  }

  /** @param {number} points */
  step(points) {
    const moments = this.#answer()?.quality.timestamp_s ?? [];
    if (!moments.length) return;
    const all = this.analyses.own.whole?.quality.timestamp_s ?? moments;
    const ends = [all[0], all.at(-1)];
    const place = nearest(moments, this.askedS ?? playhead.timestampS) + points;
    const next = Number.isFinite(points) ? moments[place] : ends[points < 0 ? 0 : 1];
    if (next === undefined) return;
    this.askedS = next; // a player arrives there later, and the next key may come before
    playhead.seek(next);
  }

  /** @type {(from?: number, to?: number) => void} */
  select(from, to) {
    this.marks.select(from, to);
  }

  /** @param {number | null} clientX */
  point(clientX) {
    this.marks.point(clientX === null ? null : this.time(clientX));
  }

  cursorS() {
    const { timestampS } = playhead;
    return timestampS >= this.fromS && timestampS <= this.toS ? timestampS : (this.fromS + this.toS) / 2;
  }

  // Data.

  #points() {
    return Math.min(4000, Math.max(600, Math.round(this.plot.clientWidth * 2)));
  }

  /**
   * The stretch that was analysed: of a clip, what a person comes for, however long the recording is.
   *
   * @returns {[fromS: number, toS: number]}
   */
  #analysed() {
    const { clip, durationS } = this.analyses.own;
    return clip ? [clip.fromS, clip.toS] : [0, durationS];
  }

  #answer() {
    return this.analyses.own.best(this.fromS, this.toS);
  }

  #panels() {
    const chosen = this.compare?.selectedOptions[0]?.text ?? "";
    return this.analyses.panels(this.fromS, this.toS, [datum(this.root, "label"), chosen]);
  }

  #fillFaces() {
    const { faces } = this.analyses.own;
    this.faces.replaceChildren(...faces.map((face) => new Option(`${title(face)} (${stretch(face)})`, String(face.face_id))));
    this.faces.value = String(this.analyses.own.faceId ?? "");
    byId("face-field").hidden = faces.length < 2;
  }

  /** @param {number | null} faceId */
  async #choose(faceId) {
    if (faceId === null || !this.analyses.knows(faceId)) return; // one that is merged or hidden
    this.faces.value = String(faceId);
    await this.#renew(() => this.analyses.choose(faceId), "The face could not be loaded; choose it again.");
  }

  async #reload() {
    await this.#renew(async () => {
      await this.analyses.reload();
      this.#fillFaces();
      if (this.analyses.face) playhead.choose(this.analyses.face.face_id);
    }, "The faces could not be loaded again; reload the page.");
  }

  /** @param {string} url */
  async #compareWith(url) {
    await this.#renew(() => this.analyses.compare(url), "The other analysis could not be loaded; choose it again.");
  }

  /** @type {(load: () => Promise<void>, sorry: string) => Promise<void>} */
  async #renew(load, sorry) {
    const renewal = ++this.renewals;
    this.missing = "";
    try {
      await load();
    } catch {
      if (renewal === this.renewals) this.missing = sorry;
    }
    explainBand(this.root, this.analyses.own.whole);
    this.#changed();
  }

  async #refine() {
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.coarse = "";
    try {
      await this.analyses.refine(this.fromS, this.toS, signal);
    } catch {
      if (signal.aborted) return;
      this.coarse = "Finer data could not be loaded; zoom again to try it.";
    }
    this.#draw();
  }

  // Drawing.

  #changed() {
    this.#draw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.#tell();
      this.#refine();
    }, SETTLED_MS);
  }

  #draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.plot.classList.toggle("two", this.analyses.other !== null);
      const scene = (this.scene = this.#scene());
      const font = getComputedStyle(this.plot).fontFamily;
      const surface = new CanvasSurface(this.canvas, scene.width, scene.height, devicePixelRatio, font);
      this.marks.renew(draw(surface, scene));
      this.#explain();
    });
  }

  /** @returns {Scene} */
  #scene() {
    const pressed = this.buttons.filter((button) => button.getAttribute("aria-pressed") === "true");
    return {
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
      fromS: this.fromS,
      toS: this.toS,
      durationS: this.durationS,
      emotions: this.analyses.own.emotions,
      panels: this.#panels(),
      shown: new Set(pressed.map((button) => datum(button, "emotion"))),
      smooth: this.smooth.value === "smooth",
      notes: playhead.notes,
      colours: colours(),
    };
  }

  // In words what the chart shows, and of which stretch of time.
  #explain() {
    const isWhole = this.toS - this.fromS >= this.durationS - 1e-6;
    for (const id of ["zoom-out", "earlier", "later", "whole"]) byId(id, HTMLButtonElement).disabled = isWhole;
    const [fromS, toS] = this.#analysed();
    const isAnalysed = Math.abs(this.fromS - fromS) < 1e-6 && Math.abs(this.toS - toS) < 1e-6;
    byId("analysed", HTMLButtonElement).disabled = isAnalysed;
    const seen = isWhole ? "Whole recording" : `${isAnalysed ? "What was analysed, from" : "From"} ${this.#stretch()}`;
    tell(this.note, this.missing || this.coarse || `${seen}. ${this.#manner()}`);
  }

  // In words what is shown of the recording.
  async #tell() {
    const { own } = this.analyses;
    this.telling?.abort();
    this.telling = new AbortController();
    try {
      const words = await own.sentence(this.fromS, this.toS, this.telling.signal);
      tell(byId("chart-summary"), words || `${own.faces.length ? "This face is not seen" : "No face is shown"} here.`);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      tell(byId("chart-summary"), ""); // better none than one of another stretch
    }
  }

  #manner() {
    return manner(this.#answer()?.bucketS ?? 0, this.smooth.value === "smooth");
  }

  #stepS() {
    return (this.toS - this.fromS) / 50;
  }

  #stretch() {
    const stepS = this.#stepS();
    return `${clock(this.fromS, stepS)} to ${clock(this.toS, stepS)}`;
  }

  #moved() {
    const [before, now] = [this.lastS, playhead.timestampS];
    this.lastS = now;
    this.askedS = null;
    const wasSeen = before >= this.fromS && before <= this.toS;
    if (wasSeen || Math.abs(now - before) > 1) this.#reveal(now); // who has moved the view away is left there
    this.marks.place();
    this.marks.tell();
  }

  /** @param {number} timestampS */
  #reveal(timestampS) {
    const length = this.toS - this.fromS;
    if (timestampS < this.fromS) this.show(timestampS - 0.5 * length, timestampS + 0.5 * length);
    if (timestampS > this.toS) this.show(timestampS - 0.1 * length, timestampS + 0.9 * length);
  }

  // Files.

  #file() {
    const [name, version] = [datum(this.root, "title"), datum(this.root, "version")];
    const { face } = this.analyses;
    const caption = `${this.#manner()} Probability of the expression shown, not of what the person feels.`;
    const words = { title: name, subtitle: `${face ? title(face) : "No face"}, ${this.#stretch()}, network ${version}`, caption };
    return { document_: svg(this.#scene(), words), name: `${name.replace(/\.[^.]*$/, "")}-face-${face?.face_id ?? 0}` };
  }

  #saveSvg() {
    const { document_, name } = this.#file();
    save(new Blob([document_], { type: "image/svg+xml" }), `${name}.svg`);
  }

  async #savePng() {
    const { document_, name } = this.#file();
    save(await png(document_), `${name}.png`);
  }
}
