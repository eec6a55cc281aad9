// What the chart says in words: which face, how its lines were made, and what they show at a moment.

import { byId, datum, every } from "../http/elements.js";
import { nearest, needsSmoothing, smoothed } from "./curves.js";
import { clock } from "./figure.js";

/**
 * @import { Answer } from "./curves.js"
 * @import { Scene } from "./figure.js"
 */

/**
 * How lines are made whose points stand for this many seconds each (0: for a frame).
 *
 * @param {number} bucketS
 * @param {boolean} smooth
 */
export function manner(bucketS, smooth) {
  const extremes = "; the shade around it reaches from the lowest to the highest single frame";
  if (smooth && needsSmoothing(bucketS)) {
    const rest = bucketS ? extremes : "; the faint line is every frame";
    return `Each line is the mean of the frames within half a second before and after, never across a gap${rest}.`;
  }
  return bucketS ? `Each point is the mean of ${bucketS} s${extremes}.` : "Each point is one frame, as it was measured.";
}

/**
 * The probabilities of an analysis at a moment, highest first; or why there are none.
 *
 * @param {Answer | null} answer
 * @param {string} label of the analysis
 * @param {number} timestampS
 * @param {Scene} scene
 * @returns {{words: string, emotion?: string}[]}
 */
export function readout(answer, label, timestampS, { shown, smooth, emotions }) {
  const head = label ? [{ words: label }] : [];
  if (!answer) return head;
  const { line, quality, bucketS } = answer;
  const [moment, point] = [nearest(quality.timestamp_s, timestampS), line ? nearest(line.times, timestampS) : -1];
  const reachS = Math.max(bucketS, spacing(quality.timestamp_s, moment)) / 2 + 1e-3;
  if (!line || point < 0 || Math.abs(line.times[point] - timestampS) > reachS) return [...head, { words: state(quality, moment) }];
  /** @type {(emotion: Api.Emotion) => number} */
  const at = (e) => (smooth && needsSmoothing(bucketS) ? smoothed(line, e) : line.values[e])[point];
  const ranked = emotions.filter((e) => shown.has(e)).sort((a, b) => at(b) - at(a));
  return [...head, ...ranked.map((emotion) => ({ emotion, words: `${emotion} ${Math.round(100 * at(emotion))} %` }))];
}

/**
 * Seconds that a moment stands for: those to its neighbours, of which the farther counts.
 *
 * @type {(times: number[], place: number) => number}
 */
function spacing(times, place) {
  const apart = [times[place] - times[place - 1], times[place + 1] - times[place]].filter((s) => s > 0);
  return apart.length ? Math.max(...apart) : 0;
}

/** @type {(quality: Api.Quality, moment: number) => string} */
function state(quality, moment) {
  if (quality.decode_error[moment]) return "frame not readable";
  if (quality.no_face[moment]) return "no face";
  return quality.too_small[moment] ? "face too small" : "this face is not seen";
}

/**
 * What a face is called.
 *
 * @param {Pick<Api.ChartFace, "face_id" | "name">} face
 */
export function title({ face_id: id, name }) {
  return name ?? `Face ${id}`;
}

/**
 * When it is seen.
 *
 * @param {Pick<Api.ChartFace, "first_timestamp_s" | "last_timestamp_s">} face
 */
export function stretch({ first_timestamp_s: firstS, last_timestamp_s: lastS }) {
  return `${clock(firstS)} to ${clock(lastS)}`;
}

/**
 * Show what the colours and ticks of the band mean that are in it.
 *
 * @param {HTMLElement} root of the chart
 * @param {Answer | null} whole the whole recording
 */
export function explainBand(root, whole) {
  const counts = Object.entries(whole?.quality ?? {});
  const there = counts.flatMap(([status, frames]) => (frames.some(Boolean) ? [status] : []));
  const keys = every(root, "[data-status]");
  for (const key of keys) key.hidden = !there.includes(datum(key, "status"));
  byId("cuts-key").hidden = !whole?.cutsS.length;
  byId("frames-key").hidden = [...keys, byId("cuts-key")].every((key) => key.hidden);
}
