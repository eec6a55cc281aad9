// The strongest moments: a click shows one in the player. Without this script each is a link to the page at its time.

import { around, datum } from "../http/elements.js";
import { playhead } from "../timeline/playhead.js";

/** @param {HTMLElement} region element whose data-url gives its content */
export function showMoments(region) {
  region.addEventListener("click", (event) => {
    const moment = around(event, "[data-timestamp-s]");
    if (!moment || event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab, by the browser
    event.preventDefault();
    playhead.choose(Number(moment.dataset.face));
    go(Number(moment.dataset.timestampS));
  });
  playhead.addEventListener("changed", () => renew(region));

  const asked = new URLSearchParams(location.search).get("t");
  if (asked && Number(asked) >= 0) addEventListener("load", () => go(Number(asked)), { once: true });
}

/** @param {number} timestampS */
function go(timestampS) {
  playhead.seek(timestampS);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const where = document.getElementById("player") ?? document.getElementById("chart");
  where?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
}

/** @param {HTMLElement} region */
async function renew(region) {
  const response = await fetch(datum(region, "url")).catch(() => null);
  if (response?.ok) region.innerHTML = await response.text();
}
