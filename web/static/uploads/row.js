// One row of the queue of uploads, as it is seen.

import { size, timeLeft } from "../http/quantities.js";

// How a state is called, the colour of its badge as elsewhere on the site, and what its two buttons do.
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
export const TO_SEND = ["waiting", "sending", "lost"]; // can be paused
export const AT_WORK = ["sending", "lost", "checking"];
export const FINISHED = ["accepted", "known", "refused"]; // for good
export const OVER = [...FINISHED, "failed"];
const WORDS = {
  pause: "Pause", continue: "Continue", choose: "Choose the file again", again: "Try again", cancel: "Cancel", remove: "Remove",
};

/**
 * @param {HTMLTemplateElement} template
 * @param {string} name of the file
 * @param {(action: string) => void} act called for a button: a key of WORDS
 */
export function createRow(template, name, act) {
  const element = template.content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const buttons = [part(".toggle"), part(".cancel")];
  part(".name").textContent = name;
  part("progress").setAttribute("aria-label", `Upload of ${name}`);
  for (const button of buttons) button.addEventListener("click", () => act(button.dataset.action));

  /**
   * @param {string} state a key of STATES
   * @param {{sentence: string, page: ?string, link: ?string}} more a sentence, the address of the video's page, and the
   *   words that lead there at the sentence's end
   */
  function show(state, { sentence = "", page = null, link = null } = {}) {
    const [label, tone, ...actions] = STATES[state];
    const focused = document.activeElement;
    part(".state").className = `state ${tone}`;
    part(".state").textContent = label;
    part("progress").hidden = actions[1] === "remove";
    part(".why-not").className = tone === "failed" ? "why-not bad" : "why-not";
    part(".why-not").hidden = !sentence;
    part(".why-not").replaceChildren(sentence);
    if (page) part(".name").href = page;
    if (link) part(".why-not").append(" ", Object.assign(document.createElement("a"), { href: page, textContent: link }));
    buttons.forEach((button, place) => {
      const action = actions[place];
      button.hidden = !action;
      if (!action || button.dataset.action === action) return;
      button.dataset.action = action;
      button.textContent = WORDS[action];
      button.setAttribute("aria-label", `${WORDS[action]}: ${name}`);
    });
    if (element.contains(focused) && !visible(focused)) focus();
  }

  /** @param {{total: number, sent: ?number, bytesPerS: ?number}} figures sent: null says nothing of it, or nothing new */
  function measure({ total, sent = null, bytesPerS = null }) {
    const words = [!sent ? size(total) : `${size(sent)} of ${size(total)}`];
    if (bytesPerS > 0) words.push(`${size(bytesPerS)}/s`, `about ${timeLeft((total - sent) / bytesPerS)} left`);
    part(".so-far").textContent = words.join(" · ");
    if (sent !== null) part("progress").value = total ? sent / total : 0;
  }

  /** Take the focus to where something can be done. */
  function focus() {
    const target = [...buttons, part("a[href]")].find((it) => it && visible(it)) ?? part(".state");
    if (target.matches(".state")) target.tabIndex = -1;
    target.focus();
  }

  return { element, show, measure, focus };
}

function visible(element) {
  return element.isConnected && element.closest("[hidden]") === null;
}
