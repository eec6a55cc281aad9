// Keeps a part of a page up to date: asks the server for the same fragment that the page was made with.

import { datum } from "../http/elements.js";
import { morph } from "./morph.js";
import { localiseTimes } from "./times.js";

/**
 * The region gets the class "stale" while the server can't be asked, and an event "looked" after every look, with
 * whether it could as its detail. Whatever can be focused or ticked in the fragment needs an id, to be known again.
 *
 * @param {HTMLElement} region element whose data-url gives its content; it may be changed
 * @param {(region: HTMLElement) => number} nextInMs called after every look; milliseconds until the next one
 * @returns {() => Promise<void>} looks now
 */
export function keepFresh(region, nextInMs) {
  /** @type {string | null} */
  let shown = null;
  let latest = 0;
  let timer = setTimeout(look, nextInMs(region));

  async function look() {
    clearTimeout(timer);
    const number = ++latest;
    if (!document.hidden) {
      const answer = await ask(datum(region, "url"));
      if (number !== latest) return; // a later look has overtaken this one
      if (answer.status === 404) {
        location.reload();
        return;
      }
      if (answer.ok) show(answer.html);
      region.classList.toggle("stale", !answer.ok);
      region.dispatchEvent(new CustomEvent("looked", { detail: answer.ok }));
    }
    timer = setTimeout(look, nextInMs(region));
  }

  /** @param {string} html */
  function show(html) {
    if (html === shown) return;
    shown = html;
    const wanted = /** @type {HTMLElement} */ (region.cloneNode(false));
    wanted.innerHTML = html;
    localiseTimes(wanted);
    const focused = region.contains(document.activeElement) ? document.activeElement?.id : "";
    morph(region, wanted);
    if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  return look;
}

/** @param {string} url */
async function ask(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" } });
    return { ok: response.ok, status: response.status, html: await response.text() };
  } catch {
    return { ok: false, status: 0, html: "" }; // the server or the network is away; it is asked again
  }
}
