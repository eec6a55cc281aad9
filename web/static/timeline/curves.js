// The curves of one analysis, as the server condenses them: over the whole recording first, finer where it is looked at.

/**
 * @typedef {Record<Api.Emotion, Float64Array>} Columns
 *
 * @typedef {[start: number, end: number]} Run places in the columns; the end is exclusive
 *
 * @typedef {object} Line a face's probabilities where it is seen
 * @property {Float64Array} times of the points
 * @property {Float64Array} frames that each point stands for
 * @property {Columns} values
 * @property {Columns} [lowest] not there when a point is one frame
 * @property {Columns} [highest]
 * @property {Run[]} runs between the gaps
 * @property {Columns} smooth smoothed values, as far as they were asked for
 *
 * @typedef {object} Loaded
 * @property {Api.Chart} data
 * @property {number | undefined} faceId undefined: no face was found
 * @property {boolean} isWhole it is of the whole recording
 * @property {number} bucketS
 * @property {Line | null} line
 * @property {Api.Quality} quality
 * @property {number[]} cutsS when shots of the recording begin
 * @property {string} sentence what the face shows in the stretch
 * @property {{fromS: number, toS: number} | null} clip what of the recording was analysed; null: the whole
 *
 * @typedef {Loaded & {fromS: number, toS: number, finenessS: number}} Answer with the stretch that it is of, and the
 *   seconds that a point may stand for
 *
 * @typedef {{face_id: number | "main", points: number, from_s?: number, to_s?: number}} Asked
 */

const KEPT = 16; // answers in memory, each some hundred kB
const SMOOTHING_S = 1;

export class Curves {
  /** @param {string} url of chart.json */
  constructor(url) {
    this.url = url;
    /** @type {Answer[]} */
    this.answers = [];
    /** @type {Api.ChartFace[]} */
    this.faces = [];
    /** @type {Api.Emotion[]} */
    this.emotions = [];
    /** @type {Loaded["clip"]} */
    this.clip = null;
    /** @type {number | undefined} */
    this.faceId = undefined;
    this.durationS = 0;
  }

  /**
   * Loads the whole recording with the line of a face; "main" is the one that is seen longest. Throws.
   *
   * @param {number | "main"} faceId
   * @param {number} points
   */
  async open(faceId, points) {
    const answer = await this.#load({ face_id: faceId, points });
    this.durationS = Math.max(answer.data.duration_s, 1e-3);
    this.clip = answer.clip;
    this.emotions = answer.data.emotions;
    this.faces = answer.data.faces;
    this.faceId = answer.faceId;
    this.#keep({ ...answer, fromS: 0, toS: this.durationS, finenessS: this.durationS / points });
  }

  /**
   * Other faces are loaded when they are chosen. Throws.
   *
   * @param {number | undefined} faceId
   * @param {number} points
   */
  async choose(faceId, points) {
    this.faceId = faceId;
    if (this.answers.some((answer) => answer.faceId === faceId && answer.isWhole)) return;
    const answer = await this.#load({ face_id: faceId ?? "main", points });
    this.#keep({ ...answer, fromS: 0, toS: this.durationS, finenessS: this.durationS / points });
  }

  /**
   * @param {number} fromS
   * @param {number} toS
   * @returns {Answer | null} the finest that is here of the chosen face for a stretch; the whole recording's otherwise
   */
  best(fromS, toS) {
    const fits = this.answers.filter(
      (answer) => answer.faceId === this.faceId && (answer.isWhole || (answer.fromS <= fromS && toS <= answer.toS)),
    );
    return fits.length ? fits.reduce((best, one) => (best.finenessS <= one.finenessS ? best : one)) : null;
  }

  get whole() {
    return this.answers.find((answer) => answer.faceId === this.faceId && answer.isWhole) ?? null;
  }

  /**
   * Loads finer data for a stretch, with as much again around it, so that it can be moved. Throws.
   *
   * @param {number} fromS
   * @param {number} toS
   * @param {number} points
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether there is something new
   */
  async refine(fromS, toS, points, signal) {
    const here = this.best(fromS, toS);
    const finenessS = (toS - fromS) / points;
    if (!here || here.bucketS === 0 || here.finenessS <= finenessS * 1.3) return false;
    const around = (toS - fromS) / 2;
    const stretch = { fromS: Math.max(0, fromS - around), toS: Math.min(this.durationS, toS + around) };
    const twice = Math.round((stretch.toS - stretch.fromS) / finenessS);
    /** @type {Asked} */
    const asked = { face_id: this.faceId ?? "main", from_s: stretch.fromS, to_s: stretch.toS, points: Math.min(4000, twice) };
    this.#keep({ ...(await this.#load(asked, signal)), ...stretch, finenessS });
    return true;
  }

  /**
   * What the chosen face shows in a stretch, in words: counted by the server, over frames. Throws.
   *
   * @param {number} fromS
   * @param {number} toS
   * @param {AbortSignal} signal
   */
  async sentence(fromS, toS, signal) {
    if (!this.faceId) return "";
    if (fromS <= 0 && toS >= this.durationS && this.whole) return this.whole.sentence;
    return (await this.#load({ face_id: this.faceId, from_s: fromS, to_s: toS, points: 10 }, signal)).sentence;
  }

  /**
   * @param {Asked} asked
   * @param {AbortSignal} [signal]
   * @returns {Promise<Loaded>}
   */
  async #load(asked, signal) {
    const fields = Object.entries(asked).map(([name, value]) => [name, String(value)]);
    const response = await fetch(`${this.url}?${new URLSearchParams(fields)}`, { signal });
    if (!response.ok) throw new Error(`chart.json: ${response.status}`);
    /** @type {Api.Chart} */
    const data = await response.json();
    const face = data.faces.find(hasLine);
    return {
      data,
      faceId: asked.face_id === "main" ? face?.face_id : asked.face_id,
      isWhole: !("from_s" in asked),
      bucketS: data.bucket_s,
      line: face ? line(face) : null,
      quality: data.quality,
      cutsS: data.cuts_s,
      sentence: data.summary.sentence,
      clip: data.clip && { fromS: data.clip.start_s, toS: data.clip.end_s }, // what of the recording was analysed
    };
  }

  /** @param {Answer} answer */
  #keep(answer) {
    this.answers.push(answer);
    if (this.answers.length <= KEPT) return;
    const isNeeded = (/** @type {Answer} */ one) => one.isWhole && one.faceId === this.faceId;
    this.answers.splice(this.answers.findIndex((one) => !isNeeded(one)), 1); // the oldest; at most one is needed
  }
}

/** @type {(face: Api.ChartFace) => face is Api.ChartFace & Api.ChartLine} */
function hasLine(face) {
  return face.timestamp_s !== undefined;
}

/**
 * Without the nulls, and with the runs between them as [start, end) instead.
 *
 * @param {Api.ChartLine} face
 * @returns {Line}
 */
function line(face) {
  const there = face.timestamp_s.flatMap((time, place) => (time === null ? [] : [place]));
  /** @type {(column: (number | null)[]) => Float64Array} */
  const compact = (column) => Float64Array.from(there, (place) => column[place] ?? NaN);
  /** @type {(columns: Api.Columns) => Columns} */
  const compacted = (columns) => Object.fromEntries(Object.entries(columns).map(([e, c]) => [e, compact(c)]));
  const starts = there.flatMap((place, i) => (i === 0 || there[i - 1] !== place - 1 ? [i] : []));
  return {
    times: compact(face.timestamp_s),
    frames: compact(face.frames),
    values: compacted(face.probabilities),
    lowest: face.lowest && compacted(face.lowest),
    highest: face.highest && compacted(face.highest),
    runs: starts.map((start, i) => [start, starts[i + 1] ?? there.length]),
    smooth: {},
  };
}

/**
 * Points that stand for longer are means already.
 *
 * @param {number} bucketS
 */
export function needsSmoothing(bucketS) {
  return bucketS < SMOOTHING_S;
}

/**
 * A face's probabilities, each the mean of the frames within half a second before and after, never across a gap.
 *
 * @param {Line} line
 * @param {Api.Emotion} emotion
 */
export function smoothed(line, emotion) {
  return (line.smooth[emotion] ??= movingMean(line, line.values[emotion]));
}

/** @type {(line: Line, values: Float64Array) => Float64Array} */
function movingMean({ times, frames, runs }, values) {
  const means = new Float64Array(values.length);
  for (const [start, end] of runs) {
    let [low, high, sum, count] = [start, start, 0, 0];
    for (let i = start; i < end; i++) {
      for (; high < end && times[high] <= times[i] + SMOOTHING_S / 2; high++) {
        sum += values[high] * frames[high];
        count += frames[high];
      }
      for (; times[low] < times[i] - SMOOTHING_S / 2; low++) {
        sum -= values[low] * frames[low];
        count -= frames[low];
      }
      means[i] = Math.min(1, Math.max(0, sum / count));
    }
  }
  return means;
}

/**
 * @param {ArrayLike<number>} sorted
 * @param {number} value
 * @returns {number} place of the first of the sorted numbers that is not below a value
 */
export function lowerBound(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * @param {ArrayLike<number>} sorted
 * @param {number} value
 * @returns {number} place of the number nearest to a value; -1 if there is none
 */
export function nearest(sorted, value) {
  const above = lowerBound(sorted, value);
  if (above === sorted.length) return above - 1;
  return above > 0 && value - sorted[above - 1] < sorted[above] - value ? above - 1 : above;
}
