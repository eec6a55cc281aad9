// What holds for all uploads of the queue together: how far they are, and what is done with all of them at once.

import { byId } from "../http/elements.js";
import { size, timeLeft } from "../http/quantities.js";
import { AT_WORK, FINISHED, OVER, TO_SEND } from "./row.js";

/**
 * @import { Item } from "./queue.js"
 * @import { Action, State } from "./row.js"
 */

/**
 * @param {Item[]} items of the queue, as they are at any time
 * @param {(action: Action, item: Item) => void} act does with one of them what a button of its row would
 * @returns {() => void} to call after every change: shows how far they are
 */
export function watchQueue(items, act) {
  const [toggle, cancel, clear] = [byId("queue-toggle"), byId("queue-cancel"), byId("queue-clear")];

  /** @type {(...states: State[]) => Item[]} */
  const some = (...states) => items.filter((item) => states.includes(item.state));
  const toCancel = () => some(...TO_SEND, "paused");

  function summarise() {
    const focused = document.activeElement;
    const begun = items.filter((item) => item.state !== "interrupted");
    const open = begun.filter((item) => !OVER.includes(item.state));
    /** @type {(list: Item[], value: (item: Item) => number) => number} */
    const sum = (list, value) => list.reduce((total, item) => total + value(item), 0);
    const left = sum(open, (item) => item.source.size - (item.sent ?? 0));
    const bytesPerS = sum(open, pace);
    const [finished, refused] = [some(...FINISHED).length, some("refused").length];
    const words = [`${finished} of ${begun.length} finished${refused ? `, ${refused} of them refused` : ""}`];
    if (left > 0) words.push(`${size(left)} to send`);
    if (bytesPerS > 0) words.push(`about ${timeLeft(left / bytesPerS)} left`);
    byId("queue").hidden = items.length === 0;
    byId("queue-total").textContent = begun.length ? words.join(" · ") : "";
    toggle.textContent = some(...TO_SEND).length ? "Pause all" : "Continue all";
    toggle.hidden = cancel.hidden = toCancel().length < 2;
    clear.hidden = finished === 0;
    if (focused?.matches("#queue [hidden]")) byId("choose").focus();
  }

  toggle.addEventListener("click", () => {
    const sent = some(...TO_SEND);
    for (const item of sent.reverse()) act("pause", item); // the waiting ones first, or they would start
    if (!sent.length) for (const item of some("paused")) act("continue", item);
  });
  cancel.addEventListener("click", () => {
    if (!confirm(`Cancel ${toCancel().length} uploads? What was sent of them is deleted.`)) return;
    for (const item of toCancel().reverse()) act("cancel", item);
  });
  clear.addEventListener("click", () => {
    for (const item of some(...FINISHED)) act("remove", item);
  });
  addEventListener("beforeunload", (event) => {
    /** @param {Item} item */
    const isLost = (item) => !item.canReturn && !FINISHED.includes(item.state);
    if (some(...AT_WORK, "waiting").length || items.some(isLost)) event.preventDefault();
  });

  return summarise;
}

/**
 * Bytes a second over the last seconds; 0 when that can't be told.
 *
 * @param {Item} item
 */
export function pace({ marks, state }) {
  if (state !== "sending" || marks.length < 2) return 0;
  const [first, last] = [marks[0], marks[marks.length - 1]];
  return last.at - first.at < 500 ? 0 : (Math.max(0, last.bytes - first.bytes) / (last.at - first.at)) * 1000;
}
