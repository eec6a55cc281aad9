// Emotions over time as a figure: a panel for each analysis, one below the other on one axis of time, with a line for
// each emotion of a face and, under it, a band of how the frames were. Where the face is missing the line is broken, and
// nothing is drawn between.
//
// It is drawn on a surface: a canvas (canvas.js) or an SVG file (chartsvg.js), so that the file is the same figure.

import { lowerBound, needsSmoothing, smoothed } from "./curves.js";

/**
 * @import { Answer, Line, Run } from "./curves.js"
 *
 * @typedef {Pick<Path2D, "moveTo" | "lineTo" | "rect" | "closePath">} Path
 *
 * @typedef {{colour: string, anchor?: "start" | "middle" | "end", weight?: number, size?: number}} Lettering
 *
 * @typedef {{
 *   path(): Path,
 *   fill(path: Path, colour: string, alpha?: number): void,
 *   stroke(path: Path, colour: string, width: number, alpha?: number, name?: string): void,
 *   text(words: string, x: number, y: number, lettering: Lettering): void,
 *   clip(x: number, y: number, width: number, height: number, drawInside: () => void): void,
 * }} Surface what a figure is drawn on
 *
 * @typedef {{answer: Answer | null, label: string}} Panel
 *
 * @typedef {object} Scene what is drawn
 * @property {number} width pixels, as are the following two
 * @property {number} height
 * @property {number} [top] where the figure begins
 * @property {number} fromS
 * @property {number} toS
 * @property {number} durationS
 * @property {Api.Emotion[]} emotions
 * @property {Panel[]} panels
 * @property {Set<Api.Emotion>} shown
 * @property {boolean} smooth
 * @property {Api.NewNote[]} notes
 * @property {Record<string, string>} colours by their names in style.css
 *
 * @typedef {{titleY: number, top: number, bottom: number, bandTop: number}} Box of a panel
 *
 * @typedef {(value: number) => number} Scale
 *
 * @typedef {object} Place
 * @property {number} left
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 * @property {Box[]} panels
 * @property {Scale} x of a time
 */

const LEFT = 44; // for the percents
const RIGHT = 8;
const BAND = 8; // height of the band of frames
const TITLE = 24;
const AXIS = 26;
const MOMENT = 140; // width of the words at one moment
const UNSEEN = "not analysed";
const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const COLOURS = ["card", "line", "ink", "soft", "accent", "bad", "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

/**
 * Frames that a face can't be read from, and the colours of all, from the ground up.
 *
 * @type {Record<Api.FrameStatus, string>}
 */
export const STATUSES = { decode_error: "bad", no_face: "neutral", too_small: "happy", ok: "accent" };
const STATUS_NAMES = /** @type {Api.FrameStatus[]} */ (Object.keys(STATUSES));

/** Colours of the page as it is shown. */
export function colours() {
  return named(getComputedStyle(document.documentElement));
}

/** @type {(style: CSSStyleDeclaration) => Record<string, string>} */
function named(style) {
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Colours of the light theme, for files. */
export function lightColours() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const roots = rules.flatMap((rule) => (rule instanceof CSSStyleRule && rule.selectorText === ":root" ? [rule] : []));
  const found = roots.find((rule) => rule.style.getPropertyValue("--ink"));
  if (!found) throw new Error("The style sheet was expected to have the colours of the light theme.");
  return named(found.style);
}

/** @type {(scene: Scene) => Place} */
function layout({ width, height, top = 8, fromS, toS, panels }) {
  const titled = panels.length > 1 ? TITLE : 0;
  const bottom = height - AXIS;
  const each = (bottom - top) / panels.length;
  return {
    left: LEFT,
    right: width - RIGHT,
    top,
    bottom,
    panels: panels.map((_, place) => {
      const start = top + place * each + titled;
      const end = top + (place + 1) * each - BAND - 4 - (place < panels.length - 1 ? 8 : 0);
      return { titleY: start - 8, top: start, bottom: end, bandTop: end + 4 };
    }),
    x: (timestampS) => LEFT + ((timestampS - fromS) / (toS - fromS)) * (width - LEFT - RIGHT),
  };
}

/**
 * @param {Surface} surface
 * @param {Scene} scene
 * @returns {Place} where everything lies
 */
export function draw(surface, scene) {
  const place = layout(scene);
  scene.panels.forEach((panel, number) => {
    const box = place.panels[number];
    grid(surface, scene, place, box);
    if (panel.label) surface.text(panel.label, place.left + 4, box.titleY, { colour: scene.colours.ink, weight: 600 });
    surface.clip(place.left, box.top - 2, place.right - place.left, box.bandTop + BAND - box.top + 4, () => {
      if (panel.answer?.clip) outside(surface, scene, place, box, panel.answer.clip);
      for (const note of scene.notes) {
        if (note.end_s === null) moment(surface, scene, place, box, note);
        else range(surface, scene, place, box, note.start_s, note.end_s, note.text);
      }
      if (panel.answer) {
        lines(surface, scene, place, box, panel.answer);
        band(surface, scene, place, box, panel.answer);
        cuts(surface, scene, place, box, panel.answer);
      }
    });
  });
  axis(surface, scene, place);
  return place;
}

/** @type {(surface: Surface, scene: Scene, place: Place, box: Box) => void} */
function grid(surface, { colours }, { left, right }, { top, bottom }) {
  const path = surface.path();
  for (const percent of [0, 25, 50, 75, 100]) {
    const y = bottom - (percent / 100) * (bottom - top);
    path.moveTo(left, y);
    path.lineTo(right, y);
    if (percent % 50 === 0 || bottom - top > 160) {
      surface.text(`${percent} %`, left - 8, y + 4, { colour: colours.soft, anchor: "end" });
    }
  }
  surface.stroke(path, colours.line, 1);
}

/** @type {(surface: Surface, scene: Scene, place: Place) => void} */
function axis(surface, { colours, fromS, toS }, { left, right, bottom, x }) {
  const step = STEPS_S.find((s) => (toS - fromS) / s <= (right - left) / 84) ?? 28800;
  const path = surface.path();
  for (let n = Math.ceil(fromS / step - 1e-6); n * step <= toS + step * 1e-6; n++) {
    const at = x(n * step);
    path.moveTo(at, bottom);
    path.lineTo(at, bottom + 4);
    const anchor = at < left + 16 ? "start" : at > right - 20 ? "end" : "middle";
    surface.text(clock(n * step, step), anchor === "start" ? at - 4 : at, bottom + 18, { colour: colours.soft, anchor });
  }
  surface.stroke(path, colours.soft, 1);
}

/**
 * What of the recording was left out of the analysis: nothing is known of it, which is not the same as "no face".
 *
 * @type {(surface: Surface, scene: Scene, place: Place, box: Box, clip: {fromS: number, toS: number}) => void}
 */
function outside(surface, { colours }, { left, right, x }, { top, bandTop }, { fromS, toS }) {
  for (const [from, to] of [[left, Math.min(x(fromS), right)], [Math.max(x(toS), left), right]]) {
    if (to <= from) continue;
    const path = surface.path();
    path.rect(from, top, to - from, bandTop + BAND - top);
    surface.fill(path, colours.line, 0.6);
    if (to - from < UNSEEN.length * 7) continue; // has no room for the words
    surface.text(UNSEEN, (from + to) / 2, (top + bandTop) / 2, { colour: colours.soft, anchor: "middle" });
  }
}

/** @type {(surface: Surface, scene: Scene, place: Place, box: Box, startS: number, endS: number, words: string) => void} */
function range(surface, { colours }, { x }, { top, bottom }, startS, endS, words) {
  const [from, to] = [x(startS), Math.max(x(endS), x(startS) + 1)];
  const path = surface.path();
  path.rect(from, top, to - from, bottom - top);
  surface.fill(path, colours.accent, 0.1);
  surface.clip(from, top, to - from, 20, () => {
    surface.text(words, from + 5, top + 14, { colour: colours.accent, weight: 600 });
  });
}

/**
 * A line at the moment, with a pennant that bears the words below those of ranges; at the right edge to its left.
 *
 * @type {(surface: Surface, scene: Scene, place: Place, box: Box, note: Api.NewNote) => void}
 */
function moment(surface, { colours }, { right, x }, { top, bottom }, { start_s: startS, text }) {
  const at = x(startS);
  const aside = right - at < MOMENT / 2 ? -1 : 1;
  const path = surface.path();
  path.moveTo(at, top + 20);
  path.lineTo(at, bottom);
  surface.stroke(path, colours.accent, 1.5);
  const pennant = surface.path();
  pennant.moveTo(at, top + 20);
  pennant.lineTo(at + aside * 9, top + 25);
  pennant.lineTo(at, top + 30);
  pennant.closePath();
  surface.fill(pennant, colours.accent);
  surface.clip(aside < 0 ? at - MOMENT : at, top + 14, MOMENT, 20, () => {
    const anchor = aside < 0 ? "end" : "start";
    surface.text(text, at + aside * 12, top + 29, { colour: colours.accent, weight: 600, anchor });
  });
}

/** @type {(surface: Surface, scene: Scene, place: Place, box: Box, answer: Answer) => void} */
function lines(surface, { shown, smooth, colours, fromS, toS, emotions }, { x }, { top, bottom }, { line, bucketS }) {
  if (!line) return;
  /** @type {Scale} */
  const y = (probability) => bottom - probability * (bottom - top);
  const runs = visible(line, fromS, toS);
  const drawn = emotions.filter((emotion) => shown.has(emotion));
  const { times, lowest, highest } = line;
  if (lowest && highest) {
    for (const e of drawn) {
      const reach = envelope(surface, times, lowest[e], highest[e], runs, x, y);
      surface.fill(reach, colours[e], smooth ? 0.12 : 0.24);
      surface.stroke(reach, colours[e], 0.75, smooth ? 0.3 : 0.5);
    }
  }
  const even = smooth && needsSmoothing(bucketS);
  for (const e of drawn) {
    if (even) surface.stroke(trace(surface, line, line.values[e], runs, x, y), colours[e], 1, 0.3);
  }
  for (const e of drawn) {
    const values = even ? smoothed(line, e) : line.values[e];
    surface.stroke(trace(surface, line, values, runs, x, y), colours[e], 1.75, 1, e);
    surface.stroke(dots(surface, line, values, runs, x, y), colours[e], 5);
  }
}

/**
 * The runs as far as they are seen, with one point more at either side.
 *
 * @type {(line: Line, fromS: number, toS: number) => Run[]}
 */
function visible({ times, runs }, fromS, toS) {
  const [low, high] = [lowerBound(times, fromS) - 1, lowerBound(times, toS) + 2];
  /** @type {Run[]} */
  const cut = runs.map(([start, end]) => [Math.max(start, low), Math.min(end, high)]);
  return cut.filter(([start, end]) => start < end);
}

/** @type {(surface: Surface, line: Line, values: Float64Array, runs: Run[], x: Scale, y: Scale) => Path} */
function trace(surface, { times }, values, runs, x, y) {
  const path = surface.path();
  for (const [start, end] of runs) {
    path.moveTo(x(times[start]), y(values[start]));
    for (let i = start + 1; i < end; i++) path.lineTo(x(times[i]), y(values[i]));
  }
  return path;
}

/**
 * A point between two gaps has no line to be seen by.
 *
 * @type {(surface: Surface, line: Line, values: Float64Array, runs: Run[], x: Scale, y: Scale) => Path}
 */
function dots(surface, { times }, values, runs, x, y) {
  const path = surface.path();
  for (const [start, end] of runs) {
    if (end !== start + 1) continue;
    path.moveTo(x(times[start]) - 0.01, y(values[start]));
    path.lineTo(x(times[start]) + 0.01, y(values[start]));
  }
  return path;
}

/**
 * From the least to the most of every stretch: a single frame is seen, however much time a pixel stands for.
 *
 * @type {(surface: Surface, times: Float64Array, lowest: Float64Array, highest: Float64Array, runs: Run[], x: Scale,
 *   y: Scale) => Path}
 */
function envelope(surface, times, lowest, highest, runs, x, y) {
  const path = surface.path();
  for (const [start, end] of runs) {
    path.moveTo(x(times[start]) - 0.5, y(highest[start]));
    for (let i = start; i < end; i++) path.lineTo(x(times[i]), y(highest[i]));
    path.lineTo(x(times[end - 1]) + 0.5, y(highest[end - 1]));
    path.lineTo(x(times[end - 1]) + 0.5, y(lowest[end - 1]));
    for (let i = end - 1; i >= start; i--) path.lineTo(x(times[i]), y(lowest[i]));
    path.lineTo(x(times[start]) - 0.5, y(lowest[start]));
    path.closePath();
  }
  return path;
}

/**
 * How the frames of each moment were: shares, one above the other; what is rare is at least two pixels high.
 *
 * @type {(surface: Surface, scene: Scene, place: Place, box: Box, answer: Answer) => void}
 */
function band(surface, { colours, fromS, toS, durationS }, { x }, { bandTop }, { quality, clip }) {
  const endS = clip?.toS ?? durationS;
  const times = quality.timestamp_s;
  const [low, high] = [Math.max(0, lowerBound(times, fromS) - 1), Math.min(times.length, lowerBound(times, toS) + 1)];
  const paths = Object.fromEntries(STATUS_NAMES.map((status) => [status, surface.path()]));
  for (let i = low; i < high; i++) {
    const from = x(times[i]);
    const width = Math.max(1, x(times[i + 1] ?? Math.max(endS, times[i])) - from);
    const total = STATUS_NAMES.reduce((sum, status) => sum + quality[status][i], 0);
    let left = BAND;
    for (const status of STATUS_NAMES) {
      if (!quality[status][i]) continue;
      const height = status === "ok" ? left : Math.min(left, Math.max(2, (BAND * quality[status][i]) / total));
      paths[status].rect(from, bandTop + left - height, width + 0.3, height);
      left -= height;
    }
  }
  for (const [status, colour] of Object.entries(STATUSES)) {
    surface.fill(paths[status], colours[colour], status === "ok" ? 0.3 : 1);
  }
}

/**
 * A fine tick wherever the recording cuts to another shot.
 *
 * @type {(surface: Surface, scene: Scene, place: Place, box: Box, answer: Answer) => void}
 */
function cuts(surface, { colours, fromS, toS }, { x }, { bandTop }, { cutsS }) {
  const path = surface.path();
  for (const cutS of cutsS) {
    if (cutS < fromS || cutS > toS) continue;
    path.moveTo(x(cutS), bandTop - 6);
    path.lineTo(x(cutS), bandTop + BAND);
  }
  surface.stroke(path, colours.ink, 1, 0.7, "cuts");
}

/**
 * 0:05, 1:02:03; with decimals where the step between two such times is shorter than a second.
 *
 * @param {number} seconds
 * @param {number} [stepS]
 */
export function clock(seconds, stepS = 1) {
  const digits = stepS >= 1 ? 0 : stepS >= 0.1 ? 1 : 2;
  const parts = digits ? Math.round(seconds * 10 ** digits) : Math.floor(seconds + 1e-6) * 10 ** digits;
  const whole = Math.floor(parts / 10 ** digits);
  /** @type {(n: number) => string} */
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const fraction = digits ? `.${String(parts % 10 ** digits).padStart(digits, "0")}` : "";
  return `${h ? `${h}:${two(m)}` : m}:${two(s)}${fraction}`;
}
