// Finds something that this browser can play: the recording itself, or else the preview that a worker makes of it.
//
// Only trying tells what a browser can play, and some recordings fail only when they are searched. A preview that isn't
// there yet is ordered then. Nothing is tried for ever: a preview is not ordered for a browser that plays no H.264, one
// that could not be made is ordered again by a person alone, and one that can't be played is the end of it.
//
// A recording whose own times are missing or out of order, or whose pictures change their size, isn't played at all: it
// would not be in step with its timeline, or its faces not where the boxes are. Its preview is played.

import { SAME_S } from "./boxes.js";
import { datum } from "../http/elements.js";

/** @typedef {Pick<Api.Render, "status"> & Partial<Api.Render> & {reason?: string}} State of the preview */

const AGAIN_MS = 2000;
const PREVIEW_TYPE = 'video/mp4; codecs="avc1.640028"'; // as emotion_timeline/media/movies.py writes it
const UNPLAYABLE = "This browser can't play the recording. The chart and all downloads work without it.";
const LOST = "The connection to the server was lost. Trying again.";

/**
 * Events: "ready", when the recording, or the preview in its place, can be shown, and "changed", when `note` did: a
 * sentence for the person, or "".
 */
export class Source extends EventTarget {
  isReady = false;
  note = "";
  hasFailed = false; // the preview could not be made; `order()` has it tried again
  originS = 0; // time of the first frame, as the video element counts
  #video;
  #section;
  /** @type {string | null} */
  #previewUrl = null;
  #isAwaiting = false;
  #hasOrdered = false;

  /**
   * @param {HTMLElement} section
   * @param {HTMLVideoElement} video
   */
  constructor(section, video) {
    super();
    this.#section = section;
    this.#video = video;
    video.addEventListener("loadedmetadata", () => this.#loaded());
    video.addEventListener("error", () => this.#check(), true); // also that of the last <source>, which doesn't bubble
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) queueMicrotask(() => this.#loaded());
    else this.#check();
  }

  /** Has the preview made again that could not be made. */
  order() {
    if (!this.hasFailed) return; // the button was pressed twice
    this.hasFailed = false;
    this.#awaitPreview("POST");
  }

  /**
   * Told the time of every picture. Some browsers count from the start of the first track and not as the file does; none
   * shows a picture from before the first frame, so an earlier time is that frame's.
   *
   * @param {number} mediaTimeS
   */
  correctOrigin(mediaTimeS) {
    if (mediaTimeS < this.originS - SAME_S) this.originS = mediaTimeS;
  }

  #loaded() {
    const isRecording = new URL(this.#video.currentSrc).pathname.endsWith("/recording");
    if (!this.#video.videoWidth || (isRecording && datum(this.#section, "plays") !== "as it is")) return this.#refused(isRecording);
    this.originS = isRecording ? Number(datum(this.#section, "startOffsetS")) : 0; // a preview begins with its first frame
    this.isReady = true;
    this.#say("");
    this.dispatchEvent(new Event("ready"));
  }

  #check() {
    const { error, networkState } = this.#video;
    if (error?.code === MediaError.MEDIA_ERR_NETWORK) this.#loadAgain();
    else if (error || networkState === HTMLMediaElement.NETWORK_NO_SOURCE) this.#refused(!this.#previewUrl);
  }

  /** The connection was lost: the same again, from the same moment. */
  #loadAgain() {
    const { currentTime } = this.#video;
    this.#say(LOST);
    setTimeout(() => {
      this.#video.load();
      this.#video.currentTime = currentTime;
    }, AGAIN_MS);
  }

  /** @param {boolean} isRecording */
  #refused(isRecording) {
    this.isReady = false;
    if (!isRecording || this.#previewUrl || !this.#video.canPlayType(PREVIEW_TYPE)) return this.#say(UNPLAYABLE);
    if (this.#isAwaiting) return; // an error can be told twice
    this.#isAwaiting = true;
    this.#awaitPreview();
  }

  async #awaitPreview(method = "GET") {
    let state = await this.#ask(method);
    if (!this.#hasOrdered && (state?.status === "none" || state?.status === "done")) {
      state = await this.#ask("POST"); // also of one that is done: it makes sure of the file
      this.#hasOrdered = state !== null;
    }
    if (state?.status === "failed") return this.#say(`${UNPLAYABLE} No preview could be made: ${state.reason}`, true);
    if (state?.status === "done" && state.url) {
      this.#previewUrl = state.url;
      this.#video.src = this.#previewUrl;
      return;
    }
    const share = state?.progress ? ` ${Math.floor(100 * state.progress)} %` : "";
    this.#say(state ? `This browser can't play the recording as it is; a preview is being made.${share}` : LOST);
    setTimeout(() => this.#awaitPreview(), AGAIN_MS);
  }

  /**
   * @param {string} method
   * @returns {Promise<State | null>} what the server says of the preview; null where it is away, or says that it can't
   *   answer now
   */
  async #ask(method) {
    try {
      const response = await fetch(datum(this.#section, "previewUrl"), { method });
      const said = await response.json();
      if (response.ok) return { ...said, reason: said.error?.message };
      return response.status < 500 ? { status: "failed", reason: said.detail } : null;
    } catch {
      return null;
    }
  }

  /** @param {string} note */
  #say(note, hasFailed = false) {
    [this.note, this.hasFailed] = [note, hasFailed];
    this.dispatchEvent(new Event("changed"));
  }
}
