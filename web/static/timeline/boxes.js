// The faces of a recording by time: fetched a window at a time, ahead of the playhead, and let go behind it.

export const SAME_S = 0.0005; // timestamps nearer than this are one frame's: browsers and files round them differently

const WINDOW_S = 20;
const AHEAD_S = 10; // before a window's end the next one is fetched
const KEPT = 5; // windows, whatever the recording's length
const RETRY_MS = 3000;

/**
 * A frame is `{frame, timestampS, status, faces}`; each of its faces is `{faceId, x, y, w, h, status, emotion,
 * probability}` in displayed pixels, with names for the statuses and emotions. "loaded" tells that more is known.
 */
export class Boxes extends EventTarget {
  names = new Map(); // what a person calls a face, by its number
  width = 0;
  height = 0;
  #url;
  #durationS;
  #windows = new Map(); // by number: a Window, or the promise of one

  constructor(url, durationS) {
    super();
    this.#url = url;
    this.#durationS = durationS;
  }

  /** The sampled frame that stands at a moment; null before the first; undefined while it isn't known. */
  at(timestampS) {
    const found = this.#windows.get(numberAt(timestampS));
    return found instanceof Window ? found.frames[found.placeAt(timestampS)] ?? null : undefined;
  }

  /** Fetches what playback will need from here, and lets go of what lies farthest away. */
  prepare(timestampS) {
    const here = numberAt(timestampS);
    this.#window(here);
    const soon = numberAt(timestampS + AHEAD_S);
    if (soon * WINDOW_S < this.#durationS) this.#window(soon);
    const byDistance = [...this.#windows.keys()].sort((a, b) => Math.abs(a - here) - Math.abs(b - here));
    for (const number of byDistance.slice(KEPT)) this.#windows.delete(number);
  }

  /** Timestamp of the sampled frame before (-1) or after (1) what is shown at a moment; null where there is none. */
  async neighbour(timestampS, direction) {
    const found = await this.#window(numberAt(timestampS));
    if (!found) return null;
    const place = found.placeAt(timestampS);
    const standing = found.frames[place];
    if (direction < 0 && standing && timestampS - standing.timestampS > SAME_S) return standing.timestampS;
    return found.timeAt(place + direction);
  }

  /** The sampled frame nearest to a moment, as `{timestampS, nextS}`; nextS is null where the next isn't known. */
  async nearest(timestampS) {
    const found = await this.#window(numberAt(timestampS));
    if (!found) return null;
    const place = found.placeAt(timestampS);
    const [before, after] = [found.timeAt(place), found.timeAt(place + 1)];
    const isBefore = after === null || (before !== null && timestampS - before <= after - timestampS);
    if (isBefore) return before === null ? null : { timestampS: before, nextS: after };
    return { timestampS: after, nextS: found.timeAt(place + 2) };
  }

  /** Forgets everything: a face was renamed, merged or hidden. */
  forget(timestampS) {
    this.#windows.clear();
    this.names.clear();
    this.prepare(timestampS);
  }

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

  async #load(number) {
    try {
      const from = number * WINDOW_S;
      const response = await fetch(`${this.#url}?from_s=${from}&to_s=${from + WINDOW_S}`);
      if (!response.ok) return null;
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
  constructor(data) {
    [this.previousS, this.nextS] = [data.previous_s, data.next_s];
    const { frames, faces, statuses, emotions } = data;
    let line = 0;
    this.frames = frames.frame.map((frame, i) => ({
      frame,
      timestampS: frames.timestamp_s[i],
      status: statuses[frames.status[i]],
      faces: Array.from({ length: frames.faces[i] }, () => face(faces, line++, statuses, emotions)),
    }));
  }

  /** Place of the frame that stands at a moment; -1 before the first. */
  placeAt(timestampS) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle].timestampS <= timestampS + SAME_S) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Timestamp of the frame at a place, or of the neighbour just outside; null where there is none. */
  timeAt(place) {
    if (place === -1) return this.previousS;
    if (place === this.frames.length) return this.nextS;
    return this.frames[place]?.timestampS ?? null;
  }
}

function face(columns, line, statuses, emotions) {
  return {
    faceId: columns.face_id[line],
    x: columns.x[line],
    y: columns.y[line],
    w: columns.w[line],
    h: columns.h[line],
    status: statuses[columns.status[line]],
    emotion: emotions[columns.emotion[line]] ?? null,
    probability: columns.probability[line],
  };
}

function numberAt(timestampS) {
  return Math.max(0, Math.floor((timestampS + SAME_S) / WINDOW_S));
}
