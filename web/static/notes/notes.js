// Notes of a video: marked at the playhead, listed in order of time, changed in place, deleted with a way back.
//
// The list is the server's own fragment, asked for again after every change. All notes are offered to whoever draws over
// the recording's length: playhead.notes, and the event "notes" whenever they change.

import { datum, every, one } from "../http/elements.js";
import { playhead } from "../timeline/playhead.js";
import { clock } from "../http/quantities.js";

/** @param {HTMLElement} section */
export function keepNotes(section) {
  const list = one(section, "#notes-list");
  const form = one(section, "#note-form", HTMLFormElement);
  const news = one(section, "#notes-news");
  const api = datum(section, "api");
  const durationS = Number(datum(section, "durationS"));

  for (const button of every(form, "[data-mark]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const atS = Math.min(Math.max(playhead.timestampS, 0), durationS);
      one(form, `[name=${datum(button, "mark")}]`, HTMLInputElement).value = clock(Math.floor(atS * 1000) / 1000);
      const text = one(form, "[name=text]", HTMLTextAreaElement);
      if (!text.value) text.focus();
    });
  }

  section.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { target: sent, submitter } = event;
    if (!(sent instanceof HTMLFormElement)) return;
    const note = sent.closest("li");
    if (note && submitter instanceof HTMLButtonElement && submitter.formAction.endsWith("/delete")) {
      await remove(note);
      return;
    }
    forgetAnswers();
    const answer = await ask(note ? datum(note, "url") : api, note ? "PATCH" : "POST", written(sent));
    tell(sent, answer.problem);
    if (!answer.note) return;
    if (!note) sent.reset();
    await renew(note ? "The note was changed." : "The note was added.");
    focus(answer.note);
  });

  /** @param {HTMLElement} note */
  async function remove(note) {
    const was = read(note);
    forgetAnswers();
    const answer = await ask(datum(note, "url"), "DELETE");
    if (answer.problem) {
      tell(one(note, "form"), answer.problem);
      return;
    }
    const undo = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Undo" });
    undo.addEventListener("click", () => restore(was));
    await renew("The note was deleted. ", undo);
    undo.focus();
  }

  /** @param {Api.NewNote} was */
  async function restore(was) {
    forgetAnswers();
    const answer = await ask(api, "POST", was);
    if (!answer.note) {
      say(answer.problem ?? "");
      return;
    }
    await renew("The note is back.");
    focus(answer.note);
  }

  /**
   * Shows the list anew, and says what was done.
   *
   * @param {(string | Node)[]} words
   */
  async function renew(...words) {
    const response = await fetch(datum(section, "list")).catch(() => null);
    if (!response?.ok) {
      say(...words, " The list could not be renewed; reload the page.");
      return;
    }
    list.innerHTML = await response.text();
    enhance();
    say(...words);
  }

  function enhance() {
    const notes = every(list, "li");
    for (const note of notes) {
      const seek = document.createElement("button");
      const text = one(note, ".note-seek");
      Object.assign(seek, { type: "button", className: "note-seek", textContent: text.textContent });
      seek.setAttribute("aria-label", `Go to ${text.textContent}`);
      seek.addEventListener("click", () => playhead.seek(read(note).start_s));
      text.replaceWith(seek);
    }
    playhead.notes = notes.map(read);
    playhead.dispatchEvent(new Event("notes"));
  }

  /** What was said of an earlier change is not said of the next one. */
  function forgetAnswers() {
    say();
    for (const form of every(section, "form")) tell(form);
  }

  /** @param {(string | Node)[]} words */
  function say(...words) {
    news.replaceChildren(...words);
  }

  /** @param {Api.Note} note */
  function focus({ id }) {
    document.getElementById(`note-${id}`)?.querySelector("button")?.focus();
  }

  enhance();
}

/**
 * What a line of the list says, as the API takes it.
 *
 * @param {HTMLElement} note
 * @returns {Api.NewNote}
 */
function read(note) {
  const { startS, endS } = note.dataset;
  return {
    start_s: Number(startS),
    end_s: endS === undefined ? null : Number(endS),
    text: one(note, ".note-text").textContent,
  };
}

/**
 * What a form says, as the API takes it; what isn't a time is left for the server to refuse.
 *
 * @param {HTMLFormElement} form
 * @returns {Written}
 */
function written(form) {
  const [start, end] = ["start", "end"].map((name) => one(form, `[name=${name}]`, HTMLInputElement).value);
  return {
    start_s: seconds(start),
    end_s: end.trim() ? seconds(end) : null,
    text: one(form, "[name=text]", HTMLTextAreaElement).value,
  };
}

/** @type {(typed: string) => number | string} */
function seconds(typed) {
  const match = /^(?:(?:(\d{1,4}):)?(\d{1,2}):)?(\d{1,8}(?:[.,]\d{1,6})?)$/.exec(typed.trim());
  if (!match) return typed;
  const [, hours = 0, minutes = 0, rest] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest.replace(",", "."));
}

/** @type {(form: HTMLElement, problem?: string) => void} */
function tell(form, problem) {
  const place = one(form, ".refusal");
  place.textContent = problem ?? "";
  place.hidden = !problem;
}

/**
 * @typedef {{start_s: number | string, end_s: number | string | null, text: string}} Written
 *
 * @typedef {{note?: Api.Note, problem?: string}} Answer the note as it is then, unless it was deleted; or why not
 */

/** @type {(url: string, method: string, body?: Written) => Promise<Answer>} */
async function ask(url, method, body) {
  try {
    const response = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (response.status === 204) return {};
    const answer = await response.json();
    return response.ok ? { note: answer } : { problem: answer.detail };
  } catch {
    return { problem: "The server can't be reached at the moment. Nothing was changed; try again." };
  }
}
