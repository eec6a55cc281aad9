// Notes of a video: marked at the playhead, listed in order of time, changed in place, deleted with a way back.
//
// The list is the server's own fragment, asked for again after every change. Ranges are offered to whoever draws over
// the recording's length: playhead.ranges, and the event "ranges" whenever they change.

import { playhead } from "../timeline/playhead.js";
import { clock } from "../http/quantities.js";

export function keepNotes(section) {
  const list = section.querySelector("#notes-list");
  const form = section.querySelector("#note-form");
  const news = section.querySelector("#notes-news");
  const durationS = Number(section.dataset.durationS);

  for (const button of form.querySelectorAll("[data-mark]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const atS = Math.min(Math.max(playhead.timestampS, 0), durationS);
      form.elements[button.dataset.mark].value = clock(Math.floor(atS * 1000) / 1000);
      if (!form.elements.text.value) form.elements.text.focus();
    });
  }

  section.addEventListener("submit", async (event) => {
    event.preventDefault();
    const sent = event.target;
    const note = sent.closest("li");
    if (event.submitter?.formAction.endsWith("/delete")) return remove(note);
    const answer = await ask(note ? note.dataset.url : section.dataset.api, note ? "PATCH" : "POST", written(sent));
    tell(sent, answer.problem);
    if (answer.problem) return;
    if (!note) sent.reset();
    await renew();
    say(note ? "The note was changed." : "The note was added.");
    list.querySelector(`#note-${CSS.escape(answer.body.id)} .note-seek`)?.focus();
  });

  async function remove(note) {
    const was = read(note);
    const answer = await ask(note.dataset.url, "DELETE");
    if (answer.problem) return tell(note.querySelector("form"), answer.problem);
    await renew();
    const undo = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Undo" });
    undo.addEventListener("click", () => restore(was));
    say("The note was deleted. ", undo);
    undo.focus();
  }

  async function restore(was) {
    const answer = await ask(section.dataset.api, "POST", was);
    if (answer.problem) return say(answer.problem);
    await renew();
    say("The note is back.");
    list.querySelector(`#note-${CSS.escape(answer.body.id)} .note-seek`)?.focus();
  }

  async function renew() {
    const response = await fetch(section.dataset.list).catch(() => null);
    if (!response?.ok) return say("The list could not be renewed. Reload the page.");
    list.innerHTML = await response.text();
    enhance();
  }

  function enhance() {
    const notes = [...list.querySelectorAll("li")];
    for (const note of notes) {
      const seek = document.createElement("button");
      const text = note.querySelector(".note-seek");
      Object.assign(seek, { type: "button", className: "note-seek", textContent: text.textContent });
      seek.setAttribute("aria-label", `Go to ${text.textContent}`);
      seek.addEventListener("click", () => playhead.seek(read(note).start_s));
      text.replaceWith(seek);
    }
    const ranges = notes.map(read).filter((note) => note.end_s !== null);
    playhead.ranges = ranges.map(({ start_s, end_s, text }) => ({ start_s, end_s, label: text }));
    playhead.dispatchEvent(new CustomEvent("ranges", { detail: playhead.ranges }));
  }

  function say(...words) {
    news.replaceChildren(...words);
  }

  enhance();
}

/** What a line of the list says, as the API takes it. */
function read(note) {
  const { startS, endS } = note.dataset;
  return {
    start_s: Number(startS),
    end_s: endS === undefined ? null : Number(endS),
    text: note.querySelector(".note-text").textContent,
  };
}

/** What a form says, as the API takes it; what isn't a time is left for the server to refuse. */
function written({ elements }) {
  return {
    start_s: seconds(elements.start.value),
    end_s: elements.end.value.trim() ? seconds(elements.end.value) : null,
    text: elements.text.value,
  };
}

function seconds(typed) {
  const match = /^(?:(?:(\d{1,4}):)?(\d{1,2}):)?(\d{1,8}(?:[.,]\d{1,6})?)$/.exec(typed.trim());
  if (!match) return typed;
  const [, hours = 0, minutes = 0, rest] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest.replace(",", "."));
}

function tell(form, problem) {
  const place = form.querySelector(".refusal");
  place.textContent = problem ?? "";
  place.hidden = !problem;
}

async function ask(url, method, body) {
  try {
    const response = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const answer = response.status === 204 ? null : await response.json();
    return response.ok ? { body: answer } : { problem: answer.detail };
  } catch {
    return { problem: "The server can't be reached at the moment. Nothing was changed; try again." };
  }
}
