// How the recordings that are chosen next are to be analysed: which frames, and which part.

import { clock, readClock } from "../http/quantities.js";

const MOST_HZ = 1000;

/** @param {HTMLFormElement} form */
export function watchOptions(form) {
  const part = (id) => form.querySelector(`#${id}`);
  const [rate, otherRate, start, end] = [part("sample-hz"), part("other-hz"), part("clip-start"), part("clip-end")];
  const labels = part("labels"); // not there where the network has learnt one set only

  /** @returns {?[HTMLElement, string]} the field that can't be understood, and why */
  function fault() {
    const [from, to] = [start, end].map(seconds);
    const hz = Number(otherRate.value.replace(",", "."));
    if (rate.value === "other" && !(hz > 0 && hz <= MOST_HZ)) {
      return [otherRate, `Frames per second: write a number above 0 and up to ${MOST_HZ}.`];
    }
    if (Number.isNaN(from)) return [start, notATime("From", start.value)];
    if (Number.isNaN(to)) return [end, notATime("To", end.value)];
    if (to !== null && to <= (from ?? 0)) {
      return [end, `The part has to end after it begins, but goes from ${clock(from ?? 0)} to ${clock(to)}.`];
    }
    return null;
  }

  /** @returns {?Object<string, string>} as the server takes them, without the defaults; null: something is wrong */
  function read() {
    if (fault()) return null;
    const hz = rate.value === "other" ? Number(otherRate.value.replace(",", ".")) : rate.value;
    const set = { sample_hz: hz, clip_start_s: seconds(start), clip_end_s: seconds(end), labels: labels?.value };
    return Object.fromEntries(Object.entries(set).filter(([, value]) => value).map(([key, value]) => [key, String(value)]));
  }

  function show() {
    const wrong = fault();
    part("other").hidden = rate.value !== "other";
    for (const field of [otherRate, start, end]) {
      if (field === wrong?.[0]) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    part("options-problem").textContent = wrong?.[1] ?? "";
    part("options-summary").textContent = wrong ? "something is not right yet" : described(read());
  }

  rate.append(new Option("Other", "other"));
  for (const field of [rate, otherRate, start, end, labels]) field?.addEventListener("change", show);
  show();

  /** Lead to what is wrong. */
  function complain() {
    form.querySelector("details").open = true;
    show();
    fault()[0].focus();
  }

  return { read, complain };
}

/** @returns {?number} null for an empty field, NaN for what is no time */
function seconds(field) {
  return field.value.trim() ? readClock(field.value) : null;
}

/** Options in a few words: 5 frames per second, from 0:10 to 1:00. */
export function described({ sample_hz, clip_start_s, clip_end_s, labels }) {
  const frames = sample_hz === undefined ? "every frame" : `${sample_hz} ${sample_hz === "1" ? "frame" : "frames"} per second`;
  const [from, to] = [clip_start_s, clip_end_s].map((text) => text && clock(Number(text)));
  const range = from && to ? `from ${from} to ${to}` : from ? `from ${from} on` : to ? `the first ${to}` : "whole recording";
  return `${frames}, ${range}${labels ? `, labels ${labels}` : ""}`;
}

function notATime(label, text) {
  return `${label}: “${text.trim().slice(0, 20)}” is no time. Write seconds (90), minutes (1:30) or hours (1:02:30).`;
}
