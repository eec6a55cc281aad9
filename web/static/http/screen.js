// The player's place on the screen: all of it, or pinned to the top while the page is scrolled.

/**
 * The whole player becomes the screen: alone, the video would leave its overlay behind.
 *
 * @type {(section: HTMLElement, button: HTMLElement) => void}
 */
export function bindFullScreen(section, button) {
  if (!document.fullscreenEnabled) {
    button.hidden = true;
    return;
  }
  button.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else section.requestFullscreen();
  });
  document.addEventListener("fullscreenchange", () => {
    button.setAttribute("aria-pressed", String(document.fullscreenElement === section));
  });
}

/**
 * Keeps the player in view while the page is scrolled, and what gets the focus out from under it.
 *
 * @type {(section: HTMLElement, button: HTMLElement) => void}
 */
export function bindPin(section, button) {
  /** @param {boolean} isPinned */
  const apply = (isPinned) => {
    section.classList.toggle("pinned", isPinned);
    button.setAttribute("aria-pressed", String(isPinned));
  };
  const makeRoom = () => {
    const isSticky = getComputedStyle(section).position === "sticky";
    document.documentElement.style.scrollPaddingTop = isSticky ? `${section.offsetHeight + 16}px` : "";
  };
  button.addEventListener("click", () => {
    const isPinned = !section.classList.contains("pinned");
    localStorage.setItem("player-pinned", String(isPinned));
    apply(isPinned);
    makeRoom();
  });
  apply(localStorage.getItem("player-pinned") !== "false");
  new ResizeObserver(makeRoom).observe(section);
}
