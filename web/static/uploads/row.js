// One row of the queue of uploads, as it is seen.

import { one } from "../http/elements.js";
import { size, timeLeft } from "../http/quantities.js";

/**
 * @typedef {"waiting" | "sending" | "lost" | "checking" | "paused" | "interrupted" | "accepted" | "known" | "refused" |
 *   "failed"} State
 *
 * @typedef {"pause" | "continue" | "choose" | "again" | "cancel" | "remove"} Action
 *
 * @typedef {{sentence?: string, page?: string, link?: string}} More a sentence, the address of the video's page, and the
 *   words that lead there at the sentence's end
 *
 * @typedef {ReturnType<typeof createRow>} Row
 */

/**
 * How a state is called, the colour of its badge as elsewhere on the site, and what its two buttons do.
 *
 * @type {Record<State, [label: string, tone: string, first: Action | null, second: Action | null]>}
 */
const STATES = {
  waiting: ["Waiting", "queued", "pause", "cancel"],
  sending: ["Sending", "running", "pause", "cancel"],
  lost: ["No connection", "queued", "pause", "cancel"],
  checking: ["Checking", "running", null, null],
  paused: ["Paused", "", "continue", "cancel"],
  interrupted: ["Interrupted", "queued", "choose", "cancel"],
  accepted: ["Accepted", "done", null, "remove"],
  known: ["Already analysed", "done", null, "remove"],
  refused: ["Refused", "failed", null, "remove"],
  failed: ["Not sent", "failed", "again", "remove"],
};
/** @type {State[]} */
export const TO_SEND = ["waiting", "sending", "lost"]; // can be paused
/** @type {State[]} */
export const AT_WORK = ["sending", "lost", "checking"];
/** @type {State[]} */
export const FINISHED = ["accepted", "known", "refused"]; // for good
/** @type {State[]} */
export const OVER = [...FINISHED, "failed"];
/** @type {Record<Action, string>} */
const WORDS = {
  pause: "Pause", continue: "Continue", choose: "Choose the file again", again: "Try again", cancel: "Cancel", remove: "Remove",
};

/**
 * @param {HTMLTemplateElement} template
 * @param {string} name of the file
 * @param {(action: Action) => void} act called for a button
 */
export function createRow(template, name, act) {
  const element = /** @type {HTMLElement} */ (one(template.content, "li").cloneNode(true));
  /** @type {(selector: string) => HTMLElement} */
  const part = (selector) => one(element, selector);
  const title = one(element, ".name", HTMLAnchorElement);
  const bar = one(element, "progress", HTMLProgressElement);
  const buttons = [part(".toggle"), part(".cancel")];
  title.textContent = name;
  bar.setAttribute("aria-label", `Upload of ${name}`);
  for (const button of buttons) {
    button.addEventListener("click", () => act(/** @type {Action} */ (button.dataset.action)));
  }

  /** @type {(state: State, more?: More) => void} */
  function show(state, { sentence = "", page, link } = {}) {
    const [label, tone, ...actions] = STATES[state];
    const focused = document.activeElement;
    part(".state").className = `state ${tone}`;
    part(".state").textContent = label;
    bar.hidden = actions[1] === "remove";
    part(".why-not").className = tone === "failed" ? "why-not bad" : "why-not";
    part(".why-not").hidden = !sentence;
    part(".why-not").replaceChildren(sentence);
    if (page) title.href = page;
    if (page && link) part(".why-not").append(" ", Object.assign(document.createElement("a"), { href: page, textContent: link }));
    buttons.forEach((button, place) => {
      const action = actions[place];
      button.hidden = !action;
      if (!action || button.dataset.action === action) return;
      button.dataset.action = action;
      button.textContent = WORDS[action];
      button.setAttribute("aria-label", `${WORDS[action]}: ${name}`);
    });
    if (focused && element.contains(focused) && !visible(focused)) focus();
  }

  /** @param {{total: number, sent?: number | null, bytesPerS?: number}} figures sent: null says nothing of it, or nothing new */
  function measure({ total, sent = null, bytesPerS = 0 }) {
    const words = [!sent ? size(total) : `${size(sent)} of ${size(total)}`];
    if (bytesPerS > 0) words.push(`${size(bytesPerS)}/s`, `about ${timeLeft((total - (sent ?? 0)) / bytesPerS)} left`);
    part(".so-far").textContent = words.join(" · ");
    if (sent !== null) bar.value = total ? sent / total : 0;
  }

  /** Take the focus to where something can be done. */
  function focus() {
    const links = title.href ? [title] : [];
    const target = [...buttons, ...links].find(visible) ?? part(".state");
    if (target.matches(".state")) target.tabIndex = -1;
    target.focus();
  }

  return { element, show, measure, focus };
}

/** @param {Element} element */
function visible(element) {
  return element.isConnected && element.closest("[hidden]") === null;
}
