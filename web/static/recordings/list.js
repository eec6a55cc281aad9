// The list of videos: searched, paged and kept up to date without leaving the page, since uploads may be running on it.
// Another part of the page that changes the list says so by the event "videos-changed" on the document.

import { keepFresh } from "./live.js";
import { clearSelection, showSelection, watchSelection } from "./selection.js";
import { localiseTimes } from "./times.js";

const ACTIVE_MS = 1500;
const IDLE_MS = 10000;
const TYPING_MS = 250; // without a keystroke, before the list is searched
const AWAY = "The server can't be reached. What stands here is the last that is known; it is asked again.";

const title = document.getElementById("list-title");
const list = document.getElementById("list");
const find = document.getElementById("find");
const away = document.getElementById("away");
const root = () => list.firstElementChild;
let typing;

localiseTimes(document);
find.querySelector("button").hidden = true;
const look = keepFresh(list, () => (root().dataset.active === "yes" || list.matches(".stale") ? ACTIVE_MS : IDLE_MS));
list.addEventListener("looked", ({ detail: isReached }) => {
  if (away.hidden !== isReached) away.textContent = isReached ? "" : AWAY;
  away.hidden = isReached;
  find.hidden = root().dataset.kind === "empty";
  showSelection();
});
document.addEventListener("videos-changed", look);
watchSelection(look, title);

find.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => go(searched(), target.matches("[type=search]") ? "replaceState" : "pushState"), TYPING_MS);
});
find.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  go(searched(), "pushState");
});
list.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-stay]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  await go(new URL(link.href).search, "pushState");
  title.focus();
});
addEventListener("popstate", () => go(location.search));

function searched() {
  const fields = new URLSearchParams(new FormData(find));
  for (const [name, value] of [...fields]) if (!value.trim() || value === "newest") fields.delete(name);
  return fields.size ? `?${fields}` : "";
}

/** Show another part of the list, and keep its address, as a `change` of the history. */
function go(search, change) {
  if (change) history[change](null, "", location.pathname + search);
  const asked = new URLSearchParams(search);
  if (document.activeElement !== find.elements.q) find.elements.q.value = asked.get("q") ?? "";
  find.elements.state.value = asked.get("state") ?? "";
  find.elements.sort.value = asked.get("sort") ?? "newest";
  list.dataset.url = new URL(list.dataset.url, location).pathname + search;
  clearSelection(); // what isn't seen isn't acted upon
  return look();
}
