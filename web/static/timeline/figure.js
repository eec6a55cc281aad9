// Emotions over time as a figure: a panel for each analysis, one below the other on one axis of time, with a line for
// each emotion of a face and, under it, a band of how the frames were. Where the face is missing the line is broken, and
// nothing is drawn between.
//
// It is drawn on a surface: a canvas here, an SVG file in chartsvg.js, so that the file is the same figure.

import { lowerBound, needsSmoothing, smoothed } from "./curves.js";

const LEFT = 44; // for the percents
const RIGHT = 8;
const BAND = 8; // height of the band of frames
const TITLE = 24;
const AXIS = 26;
const UNSEEN = "not analysed";
const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const COLOURS = ["card", "line", "ink", "soft", "accent", "bad", "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

/** Frames that a face can't be read from, and the colours of all, from the ground up. */
export const STATUSES = { decode_error: "bad", no_face: "neutral", too_small: "happy", ok: "accent" };

/** Colours of the page as it is shown. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Colours of the light theme, for files. */
export function lightColours() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const { style } = rules.find((rule) => rule.selectorText === ":root" && rule.style.getPropertyValue("--ink"));
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/**
 * Where everything lies.
 *
 * @param {{width: number, height: number, top?: number, fromS: number, toS: number, panels: object[]}} scene in pixels
 */
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
 * @param {object} surface with path(), fill(), stroke(), text() and clip()
 * @param {object} scene what layout() takes, and: `panels` of {answer, label} (an answer of curves.js, or null),
 *   `shown` (set of emotions), `smooth`, `ranges` of {start_s, end_s, label}, `colours`
 */
export function draw(surface, scene) {
  const place = layout(scene);
  scene.panels.forEach((panel, number) => {
    const box = place.panels[number];
    grid(surface, scene, place, box);
    if (panel.label) surface.text(panel.label, place.left + 4, box.titleY, { colour: scene.colours.ink, weight: 600 });
    surface.clip(place.left, box.top - 2, place.right - place.left, box.bandTop + BAND - box.top + 4, () => {
      if (panel.answer?.clip) outside(surface, scene, place, box, panel.answer.clip);
      ranges(surface, scene, place, box);
      if (panel.answer) {
        lines(surface, scene, place, box, panel.answer);
        band(surface, scene, place, box, panel.answer);
      }
    });
  });
  axis(surface, scene, place);
  return place;
}

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

// What of the recording was left out of the analysis: nothing is known of it, which is not the same as "no face".
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

function ranges(surface, { ranges, colours }, { x }, { top, bottom }) {
  for (const { start_s: startS, end_s: endS, label } of ranges) {
    const [from, to] = [x(startS), Math.max(x(endS), x(startS) + 1)];
    const path = surface.path();
    path.rect(from, top, to - from, bottom - top);
    surface.fill(path, colours.accent, 0.1);
    surface.clip(from, top, to - from, 20, () => {
      surface.text(label, from + 5, top + 14, { colour: colours.accent, weight: 600 });
    });
  }
}

function lines(surface, { shown, smooth, colours, fromS, toS, emotions }, { x }, { top, bottom }, { line, bucketS }) {
  if (!line) return;
  const y = (probability) => bottom - probability * (bottom - top);
  const runs = visible(line, fromS, toS);
  const drawn = emotions.filter((emotion) => shown.has(emotion));
  if (bucketS) {
    for (const e of drawn) {
      const reach = envelope(surface, line, e, runs, x, y);
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

// The runs as far as they are seen, with one point more at either side.
function visible({ times, runs }, fromS, toS) {
  const [low, high] = [lowerBound(times, fromS) - 1, lowerBound(times, toS) + 2];
  return runs.map(([start, end]) => [Math.max(start, low), Math.min(end, high)]).filter(([start, end]) => start < end);
}

function trace(surface, { times }, values, runs, x, y) {
  const path = surface.path();
  for (const [start, end] of runs) {
    path.moveTo(x(times[start]), y(values[start]));
    for (let i = start + 1; i < end; i++) path.lineTo(x(times[i]), y(values[i]));
  }
  return path;
}

// A point between two gaps has no line to be seen by.
function dots(surface, { times }, values, runs, x, y) {
  const path = surface.path();
  for (const [start, end] of runs) {
    if (end !== start + 1) continue;
    path.moveTo(x(times[start]) - 0.01, y(values[start]));
    path.lineTo(x(times[start]) + 0.01, y(values[start]));
  }
  return path;
}

// From the least to the most of every stretch: a single frame is seen, however much time a pixel stands for.
function envelope(surface, { times, lowest, highest }, emotion, runs, x, y) {
  const path = surface.path();
  for (const [start, end] of runs) {
    path.moveTo(x(times[start]) - 0.5, y(highest[emotion][start]));
    for (let i = start; i < end; i++) path.lineTo(x(times[i]), y(highest[emotion][i]));
    path.lineTo(x(times[end - 1]) + 0.5, y(highest[emotion][end - 1]));
    path.lineTo(x(times[end - 1]) + 0.5, y(lowest[emotion][end - 1]));
    for (let i = end - 1; i >= start; i--) path.lineTo(x(times[i]), y(lowest[emotion][i]));
    path.lineTo(x(times[start]) - 0.5, y(lowest[emotion][start]));
    path.closePath();
  }
  return path;
}

// How the frames of each moment were: shares, one above the other; what is rare is at least two pixels high.
function band(surface, { colours, fromS, toS, durationS }, { x }, { bandTop }, { quality, clip }) {
  const endS = clip?.toS ?? durationS;
  const times = quality.timestamp_s;
  const [low, high] = [Math.max(0, lowerBound(times, fromS) - 1), Math.min(times.length, lowerBound(times, toS) + 1)];
  const paths = Object.fromEntries(Object.keys(STATUSES).map((status) => [status, surface.path()]));
  for (let i = low; i < high; i++) {
    const from = x(times[i]);
    const width = Math.max(1, x(times[i + 1] ?? Math.max(endS, times[i])) - from);
    const total = Object.keys(STATUSES).reduce((sum, status) => sum + quality[status][i], 0);
    let left = BAND;
    for (const status of Object.keys(STATUSES)) {
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

/** 0:05, 1:02:03; with decimals where the step between two such times is shorter than a second. */
export function clock(seconds, stepS = 1) {
  const digits = stepS >= 1 ? 0 : stepS >= 0.1 ? 1 : 2;
  const parts = digits ? Math.round(seconds * 10 ** digits) : Math.floor(seconds + 1e-6) * 10 ** digits;
  const whole = Math.floor(parts / 10 ** digits);
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const fraction = digits ? `.${String(parts % 10 ** digits).padStart(digits, "0")}` : "";
  return `${h ? `${h}:${two(m)}` : m}:${two(s)}${fraction}`;
}

/** A canvas as a surface; its own pixels may be finer than the page's. */
export class CanvasSurface {
  constructor(canvas, width, height, ratio, font) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this.context = canvas.getContext("2d");
    this.context.scale(ratio, ratio);
    this.context.lineJoin = this.context.lineCap = "round";
    this.font = font;
  }

  path() {
    return new Path2D();
  }

  fill(path, colour, alpha = 1) {
    Object.assign(this.context, { fillStyle: colour, globalAlpha: alpha });
    this.context.fill(path);
  }

  stroke(path, colour, width, alpha = 1) {
    Object.assign(this.context, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha });
    this.context.stroke(path);
  }

  text(words, x, y, { colour, anchor = "start", weight = 400 }) {
    const align = anchor === "middle" ? "center" : anchor;
    Object.assign(this.context, { fillStyle: colour, globalAlpha: 1, textAlign: align, font: `${weight} 12px ${this.font}` });
    this.context.fillText(words, x, y);
  }

  clip(x, y, width, height, drawInside) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    drawInside();
    this.context.restore();
  }
}
