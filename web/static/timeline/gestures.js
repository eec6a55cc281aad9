// What a person does on the chart with a mouse, fingers or keys, as moves of the view: the stretch of time that is shown.

const CLICK_PX = 4;
const DOUBLE_MS = 350;

/**
 * @typedef {object} View what is moved
 * @property {number} fromS
 * @property {number} toS
 * @property {() => DOMRect} box of the figure
 * @property {(clientX: number) => number} time
 * @property {() => number} cursorS where the recording is
 * @property {(fromS: number, toS: number) => void} show
 * @property {() => void} whole
 * @property {(timestampS: number) => void} seek
 * @property {(points: number) => void} step
 * @property {(from?: number, to?: number) => void} select client coordinates, or none
 * @property {(clientX: number | null) => void} point
 *
 * @typedef {object} Pointer that is down
 * @property {number} startX where it went down
 * @property {number} startY
 * @property {number} x where it is
 * @property {boolean} pans
 * @property {boolean} moved
 */

/**
 * @param {HTMLElement} area lies over the figure
 * @param {View} view
 */
export function follow(area, view) {
  pointers(area, view);
  wheel(area, view);
  keys(area, view);
}

/**
 * Shows less (factor < 1) or more around a moment, which stays where it is.
 *
 * @param {View} view
 * @param {number} factor
 * @param {number} [aroundS]
 */
export function zoom(view, factor, aroundS = (view.fromS + view.toS) / 2) {
  view.show(aroundS - (aroundS - view.fromS) * factor, aroundS + (view.toS - aroundS) * factor);
}

/**
 * Moves by a share of what is shown.
 *
 * @param {View} view
 * @param {number} share
 */
export function pan(view, share) {
  const byS = (view.toS - view.fromS) * share;
  view.show(view.fromS + byS, view.toS + byS);
}

/** @type {(area: HTMLElement, view: View) => void} */
function pointers(area, view) {
  /** @type {Map<number, Pointer>} */
  const down = new Map(); // by their ids
  /** @type {number[]} */
  let grip = []; // times under one or two fingers, or under a mouse that pans
  let lastClickAt = -Infinity;

  const hold = () => {
    grip = [...down.values()].map(({ x }) => view.time(x));
  };
  const drag = () => {
    const [a, b] = [...down.values()].map(({ x }) => x);
    const [aS, bS] = grip;
    const { left, width } = view.box();
    const sPerPx = b === undefined ? (view.toS - view.fromS) / width : (bS - aS) / (b - a);
    if (!(sPerPx > 0)) return; // the fingers crossed
    const fromS = aS - (a - left) * sPerPx;
    view.show(fromS, fromS + width * sPerPx);
  };

  area.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    const pans = event.pointerType === "touch" || event.shiftKey || event.button === 1;
    area.setPointerCapture(event.pointerId);
    down.set(event.pointerId, { startX: event.clientX, startY: event.clientY, x: event.clientX, pans, moved: down.size > 0 });
    if (event.button === 1) event.preventDefault();
    hold();
  });
  area.addEventListener("pointermove", (event) => {
    view.point(event.pointerType === "touch" && down.size > 1 ? null : event.clientX);
    const pointer = down.get(event.pointerId);
    if (!pointer) return;
    pointer.x = event.clientX;
    pointer.moved ||= Math.hypot(event.clientX - pointer.startX, event.clientY - pointer.startY) > CLICK_PX;
    if (!pointer.moved) return;
    if (down.size > 1 || pointer.pans) drag();
    else view.select(pointer.startX, pointer.x);
  });
  area.addEventListener("pointerup", (event) => {
    const pointer = down.get(event.pointerId);
    down.delete(event.pointerId);
    hold();
    if (!pointer) return;
    view.select();
    if (!pointer.moved) click(event);
    else if (!pointer.pans && !down.size) {
      const [from, to] = [pointer.startX, event.clientX].sort((a, b) => a - b).map((x) => view.time(x));
      view.show(from, to);
    }
  });
  area.addEventListener("pointercancel", (event) => {
    down.delete(event.pointerId);
    view.select();
    hold();
  });
  area.addEventListener("pointerleave", () => view.point(null));

  /** @param {PointerEvent} event */
  function click(event) {
    const isSecond = event.timeStamp - lastClickAt < DOUBLE_MS;
    lastClickAt = isSecond ? -Infinity : event.timeStamp;
    if (isSecond) view.whole();
    else view.seek(view.time(event.clientX));
  }
}

/** @type {(area: HTMLElement, view: View) => void} */
function wheel(area, view) {
  area.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
      if (event.ctrlKey || event.metaKey) {
        zoom(view, Math.exp(Math.max(-60, Math.min(60, event.deltaY * unit)) / 150), view.time(event.clientX));
      } else if (Math.abs(sideways) > (event.shiftKey ? 0 : Math.abs(event.deltaY))) {
        pan(view, (sideways * unit) / area.clientWidth);
      } else {
        return; // the page scrolls
      }
      event.preventDefault();
    },
    { passive: false },
  );
}

/** @type {(area: HTMLElement, view: View) => void} */
function keys(area, view) {
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowLeft: () => view.step(-1),
    ArrowRight: () => view.step(1),
    ArrowDown: () => view.step(-1),
    ArrowUp: () => view.step(1),
    PageUp: () => pan(view, 0.8),
    PageDown: () => pan(view, -0.8),
    Home: () => view.step(-Infinity),
    End: () => view.step(Infinity),
    "+": () => zoom(view, 0.5, view.cursorS()),
    "=": () => zoom(view, 0.5, view.cursorS()),
    "-": () => zoom(view, 2, view.cursorS()),
    0: () => view.whole(),
  };
  area.addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
}
