// Quality at a glance: a click on the band, or on a part that is listed, goes there.

import { byId, every } from "../http/elements.js";
import { playhead } from "./playhead.js";

/** @param {HTMLElement} section */
export function linkQuality(section) {
  /** @type {SVGElement | null} */
  const band = section.querySelector(".band");
  band?.addEventListener("click", (event) => {
    const { left, width } = band.getBoundingClientRect();
    const [fromS, toS] = [band.dataset.fromS, band.dataset.toS].map(Number);
    playhead.seek(fromS + ((event.clientX - left) / width) * (toS - fromS));
  });
  for (const text of every(section, "[data-seek-s]")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "seek", textContent: text.textContent });
    button.setAttribute("aria-label", `Go to ${text.textContent}`);
    button.addEventListener("click", () => playhead.seek(Number(text.dataset.seekS)));
    text.replaceWith(button);
  }
  document.querySelector('a[href="#model-card"]')?.addEventListener("click", () => {
    byId("model-card", HTMLDetailsElement).open = true;
  });
}
