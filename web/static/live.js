// Keeps a part of a page up to date: asks the server for the same fragment that the page was made with.

import { localiseTimes } from "./times.js";

/**
 * Whatever can be focused in the fragment needs an id, so that the focus outlives a renewal. An event "changed" on the
 * region has it renewed at once.
 *
 * @param {HTMLElement} region element whose data-url gives its content
 * @param {(region: HTMLElement) => number} nextInMs called after every look; milliseconds until the next one
 */
export function keepFresh(region, nextInMs) {
  let shown = null;
  let timer = null;

  async function look() {
    if (!document.hidden) {
      try {
        const response = await fetch(region.dataset.url, { headers: { Accept: "text/html" } });
        if (response.status === 404) return location.reload();
        if (response.ok) show(await response.text());
        region.classList.toggle("stale", !response.ok);
      } catch {
        region.classList.add("stale"); // the server or the network is away; it is asked again
      }
    }
    wait();
  }

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(look, nextInMs(region));
  }

  function show(html) {
    if (html === shown) return;
    shown = html;
    const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
    region.innerHTML = html;
    localiseTimes(region);
    if (focused) document.getElementById(focused)?.focus();
  }

  region.addEventListener("changed", look);
  wait();
}
