// The files of a video: those that a worker or the chart makes, and links to hidden faces while there are any.

import { playhead } from "../timeline/playhead.js";

const LOOK_EVERY_MS = 1500;

export function offerFiles(section) {
  const chart = section.querySelector("#chart-files");
  chart.hidden = !document.getElementById("save-png");
  for (const button of chart.querySelectorAll("[data-press]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.press).click());
  }
  playhead.addEventListener("changed", async () => {
    const response = await fetch(section.dataset.faces).catch(() => null);
    if (!response?.ok) return;
    const { faces } = await response.json();
    const none = !faces.some((face) => face.hidden);
    for (const element of section.querySelectorAll("[data-hidden-faces]")) element.hidden = none;
  });
  const overlay = section.querySelector("#overlay");
  if (overlay) offerOverlay(overlay);
}

/** The recording with overlay: asked for by a button, made by a worker, and offered when it is there. */
function offerOverlay(row) {
  const make = row.querySelector("#overlay-make");
  const file = row.querySelector("#overlay-file");
  const bar = row.querySelector("#overlay-progress");
  const news = row.querySelector("#overlay-news");
  let status = "none";

  async function look(address, method) {
    let state;
    try {
      const response = await fetch(address, { method });
      state = await response.json();
      if (!response.ok) state = { status: "failed", error: { message: state.detail } };
    } catch {
      news.textContent = "The server can't be reached at the moment.";
      setTimeout(look, 4 * LOOK_EVERY_MS, row.dataset.state, "GET");
      return;
    }
    show(state);
    if (isWorking(state)) setTimeout(look, LOOK_EVERY_MS, row.dataset.state, "GET");
  }

  function show(state) {
    const focused = document.activeElement === make;
    make.textContent = state.status === "done" ? "Make again" : "Make MP4";
    make.setAttribute("aria-label", `${make.textContent}: Recording with overlay`);
    make.hidden = isWorking(state);
    file.hidden = state.status !== "done";
    bar.hidden = !isWorking(state);
    if (state.status === "running" && state.progress !== null) bar.value = state.progress;
    else bar.removeAttribute("value");
    news.textContent = isWorking(state) ? "It is being made; you can close this page." : state.error?.message ?? "";
    if (status !== state.status && isWorking({ status }) && state.status === "done") news.textContent = "It is there.";
    if (focused && make.hidden) news.focus();
    status = state.status;
  }

  make.addEventListener("click", () => look(row.dataset.state + (status === "done" ? "?renew=1" : ""), "POST"));
  look(row.dataset.state, "GET");
}

function isWorking({ status }) {
  return status === "queued" || status === "running";
}
