// The faces of a recording by time: fetched a window at a time, ahead of the playhead, and let go behind it.

export const SAME_S = 0.0005; // timestamps nearer than this are one frame's: browsers and files round them differently

const WINDOW_S = 20;
const AHEAD_S = 10; // before a window's end the next one is fetched
const KEPT = 5; // windows, whatever the recording's length
const RETRY_MS = 3000;

/**
 * @typedef {object} Face in a frame; pixels as displayed
 * @property {number} faceId
 * @property {number} x
 * @property {number} y
 * @property {number} w
 * @property {number} h
 * @property {Api.FrameStatus} status
 * @property {Api.Emotion | null} emotion null, as is the probability: it is too small to tell
 * @property {number | null} probability
 *
 * @typedef {{frame: number, timestampS: number, status: Api.FrameStatus, faces: Face[]}} Frame
 */

/** The event "loaded" tells that more is known. */
export class Boxes extends EventTarget {
  /** @type {Map<number, string>} */
  names = new Map(); // what a person calls a face, by its number
  width = 0;
  height = 0;
  #url;
  #durationS;
  /** @type {Map<number, Window | Promise<Window | null>>} */
  #windows = new Map(); // by number

  /**
   * @param {string} url of boxes.json
   * @param {number} durationS
   */
  constructor(url, durationS) {
    super();
    this.#url = url;
    this.#durationS = durationS;
  }

  /**
   * @param {number} timestampS
   * @returns {Frame | null | undefined} the sampled frame that stands at a moment; null before the first; undefined while
   *   it isn't known
   */
  at(timestampS) {
    const found = this.#windows.get(numberAt(timestampS));
    return found instanceof Window ? found.frames[found.placeAt(timestampS)] ?? null : undefined;
  }

  /**
   * Fetches what playback will need from here, and lets go of what lies farthest away.
   *
   * @param {number} timestampS
   */
  prepare(timestampS) {
    const here = numberAt(timestampS);
    this.#window(here);
    const soon = numberAt(timestampS + AHEAD_S);
    if (soon * WINDOW_S < this.#durationS) this.#window(soon);
    const byDistance = [...this.#windows.keys()].sort((a, b) => Math.abs(a - here) - Math.abs(b - here));
    for (const number of byDistance.slice(KEPT)) this.#windows.delete(number);
  }

  /**
   * @param {number} timestampS
   * @param {number} direction
   * @returns {Promise<number | null>} timestamp of the sampled frame before (-1) or after (1) what is shown at a moment;
   *   null where there is none
   */
  async neighbour(timestampS, direction) {
    const found = await this.#window(numberAt(timestampS));
    if (!found) return null;
    const place = found.placeAt(timestampS);
    const standing = found.frames[place];
    if (direction < 0 && standing && timestampS - standing.timestampS > SAME_S) return standing.timestampS;
    return found.timeAt(place + direction);
  }

  /**
   * @param {number} timestampS
   * @returns {Promise<{timestampS: number, nextS: number | null} | null>} the sampled frame nearest to a moment; nextS is
   *   null where the next isn't known
   */
  async nearest(timestampS) {
    const found = await this.#window(numberAt(timestampS));
    if (!found) return null;
    const place = found.placeAt(timestampS);
    const [before, after] = [found.timeAt(place), found.timeAt(place + 1)];
    if (before !== null && (after === null || timestampS - before <= after - timestampS)) {
      return { timestampS: before, nextS: after };
    }
    return after === null ? null : { timestampS: after, nextS: found.timeAt(place + 2) };
  }

  /**
   * Forgets everything: a face was renamed, merged or hidden.
   *
   * @param {number} timestampS
   */
  forget(timestampS) {
    this.#windows.clear();
    this.names.clear();
    this.prepare(timestampS);
  }

  /**
   * @param {number} number
   * @returns {Window | Promise<Window | null>}
   */
  #window(number) {
    const known = this.#windows.get(number);
    if (known) return known;
    const promised = this.#load(number).then((loaded) => {
      if (this.#windows.get(number) !== promised) return loaded; // let go meanwhile
      if (loaded) {
        this.#windows.set(number, loaded);
        this.dispatchEvent(new Event("loaded"));
      } else {
        setTimeout(() => this.#windows.get(number) === promised && this.#windows.delete(number), RETRY_MS);
      }
      return loaded;
    });
    this.#windows.set(number, promised);
    return promised;
  }

  /**
   * @param {number} number
   * @returns {Promise<Window | null>}
   */
  async #load(number) {
    try {
      const from = number * WINDOW_S;
      const response = await fetch(`${this.#url}?from_s=${from}&to_s=${from + WINDOW_S}`);
      if (!response.ok) return null;
      /** @type {Api.Boxes} */
      const data = await response.json();
      [this.width, this.height] = [data.width, data.height];
      for (const [faceId, name] of Object.entries(data.names)) this.names.set(Number(faceId), name);
      return new Window(data);
    } catch {
      return null; // it is asked for again
    }
  }
}

class Window {
  /** @param {Api.Boxes} data */
  constructor(data) {
    this.previousS = data.previous_s;
    this.nextS = data.next_s;
    const { frames, faces, statuses, emotions } = data;
    let line = 0;
    /** @type {Frame[]} */
    this.frames = frames.frame.map((frame, i) => ({
      frame,
      timestampS: frames.timestamp_s[i],
      status: statuses[frames.status[i]],
      faces: Array.from({ length: frames.faces[i] }, () => face(faces, line++, statuses, emotions)),
    }));
  }

  /**
   * @param {number} timestampS
   * @returns {number} place of the frame that stands at a moment; -1 before the first
   */
  placeAt(timestampS) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle].timestampS <= timestampS + SAME_S) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * @param {number} place
   * @returns {number | null} timestamp of the frame at a place, or of the neighbour just outside; null where there is none
   */
  timeAt(place) {
    if (place === -1) return this.previousS;
    if (place === this.frames.length) return this.nextS;
    return this.frames[place]?.timestampS ?? null;
  }
}

/** @type {(columns: Api.BoxColumns, line: number, statuses: Api.FrameStatus[], emotions: Api.Emotion[]) => Face} */
function face(columns, line, statuses, emotions) {
  const emotion = columns.emotion[line];
  return {
    faceId: columns.face_id[line],
    x: columns.x[line],
    y: columns.y[line],
    w: columns.w[line],
    h: columns.h[line],
    status: statuses[columns.status[line]],
    emotion: emotion === null ? null : emotions[emotion],
    probability: columns.probability[line],
  };
}

/** @param {number} timestampS */
function numberAt(timestampS) {
  return Math.max(0, Math.floor((timestampS + SAME_S) / WINDOW_S));
}
