// The files of a video: those that a worker or the chart makes, and links to hidden faces while there are any.

import { byId, datum, every, one } from "../http/elements.js";
import { playhead } from "../timeline/playhead.js";

const LOOK_EVERY_MS = 1500;

/** @type {(section: HTMLElement, isDrawn: Promise<boolean>) => void} */
export function offerFiles(section, isDrawn) {
  const chart = one(section, "#chart-files");
  isDrawn.then((is) => (chart.hidden = !is));
  for (const button of every(chart, "[data-press]")) {
    button.addEventListener("click", () => byId(datum(button, "press")).click());
  }
  playhead.addEventListener("changed", async () => {
    const response = await fetch(datum(section, "faces")).catch(() => null);
    if (!response?.ok) return;
    /** @type {{faces: Api.Face[]}} */
    const { faces } = await response.json();
    const none = !faces.some((face) => face.hidden);
    for (const element of every(section, "[data-hidden-faces]")) element.hidden = none;
  });
  /** @type {HTMLElement | null} */
  const overlay = section.querySelector("#overlay");
  if (overlay) offerOverlay(overlay);
}

/**
 * The recording with overlay: asked for by a button, made by a worker, and offered when it is there.
 *
 * @param {HTMLElement} row
 */
function offerOverlay(row) {
  const make = one(row, "#overlay-make", HTMLButtonElement);
  const file = one(row, "#overlay-file");
  const bar = one(row, "#overlay-progress", HTMLProgressElement);
  const news = one(row, "#overlay-news");
  const address = datum(row, "state");
  /** @type {Api.Render["status"]} */
  let status = "none";

  /** @type {(address: string, method: string) => Promise<void>} */
  async function look(asked, method) {
    /** @type {Api.Render} */
    let state;
    try {
      const response = await fetch(asked, { method });
      const body = await response.json();
      state = response.ok ? body : failure(body);
    } catch {
      news.textContent = "The server can't be reached at the moment.";
      setTimeout(look, 4 * LOOK_EVERY_MS, address, "GET");
      return;
    }
    show(state);
    if (isWorking(status)) setTimeout(look, LOOK_EVERY_MS, address, "GET");
  }

  /** @param {Api.Render} state */
  function show(state) {
    const focused = document.activeElement === make;
    make.textContent = state.status === "done" ? "Make again" : "Make MP4";
    make.setAttribute("aria-label", `${make.textContent}: Recording with overlay`);
    make.hidden = isWorking(state.status);
    file.hidden = state.status !== "done";
    bar.hidden = !isWorking(state.status);
    if (state.status === "running" && state.progress !== null) bar.value = state.progress;
    else bar.removeAttribute("value");
    news.textContent = isWorking(state.status) ? "The video is being made; you can close this page." : (state.error?.message ?? "");
    if (isWorking(status) && state.status === "done") news.textContent = "The video is ready.";
    if (focused && make.hidden) news.focus();
    status = state.status;
  }

  make.addEventListener("click", () => look(address + (status === "done" ? "?renew=1" : ""), "POST"));
  look(address, "GET");
}

/** @type {(problem: Api.Problem) => Api.Render} */
function failure({ code, detail }) {
  return { status: "failed", progress: null, error: { code, message: detail }, url: null };
}

/** @type {(status: Api.Render["status"]) => boolean} */
function isWorking(status) {
  return status === "queued" || status === "running";
}
