// The list of videos: searched, paged and kept up to date without leaving the page, since uploads may be running on it.
// Another part of the page that changes the list says so by the event "videos-changed" on the document.

import { around, byId, datum, one } from "../http/elements.js";
import { keepFresh } from "./live.js";
import { clearSelection, showSelection, watchSelection } from "./selection.js";
import { localiseTimes } from "./times.js";

const ACTIVE_MS = 1500;
const IDLE_MS = 10000;
const TYPING_MS = 250; // without a keystroke, before the list is searched
const AWAY = "The server can't be reached. What stands here is the last that is known; it is asked again.";

const title = byId("list-title");
const list = byId("list");
const find = byId("find", HTMLFormElement);
const words = one(find, "[name=q]", HTMLInputElement);
const state = one(find, "[name=state]", HTMLSelectElement);
const sort = one(find, "[name=sort]", HTMLSelectElement);
const away = byId("away");
const root = () => one(list, ":scope > *");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;

localiseTimes(document);
one(find, "button").hidden = true;
const look = keepFresh(list, () => (root().dataset.active === "yes" || list.matches(".stale") ? ACTIVE_MS : IDLE_MS));
list.addEventListener("looked", (event) => {
  const isReached = event instanceof CustomEvent && event.detail;
  if (away.hidden !== isReached) away.textContent = isReached ? "" : AWAY;
  away.hidden = isReached;
  find.hidden = root().dataset.kind === "empty";
  showSelection();
});
document.addEventListener("videos-changed", look);
watchSelection(look, title);

find.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => go(searched(), target === words ? "replaceState" : "pushState"), TYPING_MS);
});
find.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  go(searched(), "pushState");
});
list.addEventListener("click", async (event) => {
  const link = around(event, "a[data-stay]");
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  await go(new URL(link.href).search, "pushState");
  title.focus();
});
addEventListener("popstate", () => go(location.search));

function searched() {
  const said = [...new FormData(find)].map(([name, value]) => [name, String(value)]);
  const fields = new URLSearchParams(said.filter(([, value]) => value.trim() && value !== "newest"));
  return fields.size ? `?${fields}` : "";
}

/**
 * Show another part of the list, and keep its address, as a `change` of the history.
 *
 * @param {string} search
 * @param {"pushState" | "replaceState"} [change]
 */
function go(search, change) {
  if (change) history[change](null, "", location.pathname + search);
  const asked = new URLSearchParams(search);
  if (document.activeElement !== words) words.value = asked.get("q") ?? "";
  state.value = asked.get("state") ?? "";
  sort.value = asked.get("sort") ?? "newest";
  list.dataset.url = new URL(datum(list, "url"), location.href).pathname + search;
  clearSelection(); // what isn't seen isn't acted upon
  return look();
}
