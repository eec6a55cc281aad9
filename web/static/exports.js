// The recording with overlay: asked for by a button, made by a worker, and offered when it is there.

const LOOK_EVERY_MS = 1500;

export function offerOverlay(section) {
  const make = section.querySelector("#overlay-make");
  const file = section.querySelector("#overlay-file");
  const bar = section.querySelector("#overlay-progress");
  const news = section.querySelector("#overlay-news");

  async function look(method = "GET") {
    let state;
    try {
      const response = await fetch(section.dataset.state, { method });
      state = await response.json();
      if (!response.ok) state = { status: response.status === 404 ? "none" : "failed", error: { message: state.detail } };
    } catch {
      news.textContent = "The server can't be reached at the moment.";
      setTimeout(look, 4 * LOOK_EVERY_MS);
      return;
    }
    show(state);
    if (state.status === "queued" || state.status === "running") setTimeout(look, LOOK_EVERY_MS);
  }

  function show({ status, progress, error }) {
    const working = status === "queued" || status === "running";
    const focused = document.activeElement === make;
    make.hidden = working || status === "done";
    file.hidden = status !== "done";
    bar.hidden = !working;
    if (status === "running" && progress) bar.value = progress;
    else bar.removeAttribute("value");
    news.textContent = working ? "It is being made; you can close this page." : error?.message ?? "";
    if (focused && status === "done") file.focus();
  }

  make.addEventListener("click", () => look("POST"));
  look();
}
