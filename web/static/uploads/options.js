// How the recordings that are chosen next are to be analysed: which frames, and which part.

import { byId, one } from "../http/elements.js";
import { clock, readClock } from "../http/quantities.js";

const MOST_HZ = 1000;

/**
 * @typedef {Partial<Record<"sample_hz" | "clip_start_s" | "clip_end_s" | "labels" | "rotate", string>>} Options as the server takes them,
 *   without the defaults
 */

/** @param {HTMLFormElement} form */
export function watchOptions(form) {
  const rate = one(form, "#sample-hz", HTMLSelectElement);
  const otherRate = one(form, "#other-hz", HTMLInputElement);
  const start = one(form, "#clip-start", HTMLInputElement);
  const end = one(form, "#clip-end", HTMLInputElement);
  const rotate = one(form, "#rotate", HTMLSelectElement);
  /** @type {HTMLSelectElement | null} */
  const labels = form.querySelector("#labels"); // not there where the network has learnt one set only

  /** @returns {{field: HTMLInputElement, sentence: string} | null} the field that can't be understood, and why */
  function fault() {
    const [from, to] = [start, end].map(seconds);
    const hz = Number(otherRate.value.replace(",", "."));
    if (rate.value === "other" && !(hz > 0 && hz <= MOST_HZ)) {
      return { field: otherRate, sentence: `Frames per second: write a number above 0 and up to ${MOST_HZ}.` };
    }
    if (Number.isNaN(from)) return { field: start, sentence: notATime("From", start.value) };
    if (Number.isNaN(to)) return { field: end, sentence: notATime("To", end.value) };
    if (to !== null && to <= (from ?? 0)) {
      const sentence = `The part has to end after it begins, but goes from ${clock(from ?? 0)} to ${clock(to)}.`;
      return { field: end, sentence };
    }
    return null;
  }

  /** @returns {Options | null} null: something is wrong */
  function read() {
    if (fault()) return null;
    const hz = rate.value === "other" ? Number(otherRate.value.replace(",", ".")) : rate.value;
    const set = { sample_hz: hz, clip_start_s: seconds(start), clip_end_s: seconds(end), labels: labels?.value, rotate: rotate.value };
    return Object.fromEntries(Object.entries(set).filter(([, value]) => value).map(([key, value]) => [key, String(value)]));
  }

  function show() {
    const wrong = fault();
    byId("other").hidden = rate.value !== "other";
    for (const field of [otherRate, start, end]) {
      if (field === wrong?.field) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    byId("options-problem").textContent = wrong?.sentence ?? "";
    byId("options-summary").textContent = wrong ? "something is not right yet" : described(read() ?? {});
  }

  rate.append(new Option("Other", "other"));
  for (const field of [rate, otherRate, start, end, rotate, labels]) field?.addEventListener("change", show);
  show();

  /** Lead to what is wrong. */
  function complain() {
    one(form, "details", HTMLDetailsElement).open = true;
    show();
    fault()?.field.focus();
  }

  return { read, complain };
}

/**
 * @param {HTMLInputElement} field
 * @returns {number | null} null for an empty field, NaN for what is no time
 */
function seconds(field) {
  return field.value.trim() ? readClock(field.value) : null;
}

/**
 * Options in a few words: 5 frames per second, from 0:10 to 1:00.
 *
 * @param {Options} options
 */
export function described({ sample_hz, clip_start_s, clip_end_s, labels, rotate }) {
  const frames = sample_hz === undefined ? "every frame" : `${sample_hz} ${sample_hz === "1" ? "frame" : "frames"} per second`;
  const [from, to] = [clip_start_s, clip_end_s].map((text) => text && clock(Number(text)));
  const range = from && to ? `from ${from} to ${to}` : from ? `from ${from} on` : to ? `the first ${to}` : "whole recording";
  return `${frames}, ${range}${rotate ? `, turned by ${rotate}°` : ""}${labels ? `, labels ${labels}` : ""}`;
}

/** @type {(label: string, text: string) => string} */
function notATime(label, text) {
  return `${label}: “${text.trim().slice(0, 20)}” is no time. Write seconds (90), minutes (1:30) or hours (1:02:30).`;
}
