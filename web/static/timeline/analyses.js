// The analysis that the page is about, and another one of the same recording beside it: both show the same face.

import { Curves } from "./curves.js";
import { stretch } from "./readout.js";

/** @import { Panel } from "./figure.js" */

export class Analyses {
  /**
   * @param {string} url of the page's own chart.json
   * @param {() => number} points that the figure has room for
   */
  constructor(url, points) {
    this.own = new Curves(url);
    this.points = points;
    /** @type {Curves | null} */
    this.other = null;
    /** @type {Api.ChartFace | null} */
    this.same = null; // the face in the other analysis
    this.asked = ""; // the other analysis that was chosen last
  }

  get face() {
    return this.own.faces.find(({ face_id: id }) => id === this.own.faceId) ?? null;
  }

  /** @param {number | null} faceId */
  knows(faceId) {
    return this.own.faces.some(({ face_id: id }) => id === faceId);
  }

  /**
   * Loads a face, or the main one when there is no such face. Throws, as all that load.
   *
   * @param {number | "main"} faceId
   */
  async open(faceId) {
    await this.own.open(faceId, this.points());
    if (!this.face && this.own.faces.length) await this.own.open("main", this.points());
  }

  /** @param {number} faceId */
  async choose(faceId) {
    if (this.own.faceId !== faceId) await this.own.choose(faceId, this.points());
    await this.#follow();
  }

  async reload() {
    const faceId = this.own.faceId ?? "main";
    this.own = new Curves(this.own.url);
    await this.open(faceId);
    await this.#follow();
  }

  /**
   * Puts another analysis beside it, or none ("") in its place.
   *
   * @param {string} url
   */
  async compare(url) {
    this.other = null;
    this.same = null;
    this.asked = url;
    if (!url) return;
    const curves = new Curves(url);
    await curves.open("main", this.points());
    if (url !== this.asked) return; // another was chosen meanwhile
    this.other = curves;
    await this.#follow();
  }

  /**
   * Loads finer data for a stretch; true when there is something new.
   *
   * @param {number} fromS
   * @param {number} toS
   * @param {AbortSignal} signal
   */
  async refine(fromS, toS, signal) {
    const both = this.other ? [this.own, this.other] : [this.own];
    const news = await Promise.all(both.map((curves) => curves.refine(fromS, toS, this.points(), signal)));
    return news.some(Boolean);
  }

  /**
   * What figure.js draws, from the top; titled when there are two.
   *
   * @param {number} fromS
   * @param {number} toS
   * @param {[own: string, other: string]} labels
   * @returns {Panel[]}
   */
  panels(fromS, toS, [ownLabel, otherLabel]) {
    if (!this.other) return [{ answer: this.own.best(fromS, toS), label: "" }];
    return [
      { answer: this.own.best(fromS, toS), label: ownLabel },
      { answer: this.other.best(fromS, toS), label: otherLabel + difference(this.face, this.same) },
    ];
  }

  async #follow() {
    if (!this.other) return;
    this.same = closest(this.other.faces, this.face);
    await this.other.choose(this.same?.face_id, this.points());
  }
}

/**
 * Faces are numbered by each analysis; at another sample rate the numbers can differ, so the time in the picture decides.
 *
 * @type {(faces: Api.ChartFace[], face: Api.ChartFace | null) => Api.ChartFace | null}
 */
function closest(faces, face) {
  if (!face || !faces.length) return faces[0] ?? null;
  /** @type {(one: Api.ChartFace) => number} */
  const distance = (one) =>
    Math.abs(one.first_timestamp_s - face.first_timestamp_s) +
    Math.abs(one.last_timestamp_s - face.last_timestamp_s) +
    (one.face_id === face.face_id ? 0 : 1); // faces that come and go together
  return faces.reduce((best, one) => (distance(best) <= distance(one) ? best : one));
}

/** @type {(face: Api.ChartFace | null, same: Api.ChartFace | null) => string} */
function difference(face, same) {
  if (!same) return ": no face was found";
  return same.face_id === face?.face_id ? "" : `: face ${same.face_id} (${stretch(same)})`;
}
