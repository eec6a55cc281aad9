// Finds something that this browser can play: the recording itself, or else the preview that a worker makes of it.
//
// Only trying tells what a browser can play. A recording whose own times are missing or out of order isn't played at
// all, because it would not be in step with its timeline; its preview is.

import { SAME_S } from "./boxes.js";

const AGAIN_MS = 2000;
const UNPLAYABLE = "This browser can't play the recording. The chart and all downloads work without it.";

/** Events: "ready", when pictures can be shown, and "changed", when `note` did: a sentence for the person, or "". */
export class Source extends EventTarget {
  isReady = false;
  note = "";
  originS = 0; // time of the first frame, as the video element counts
  #video;
  #section;
  #previewUrl = null;
  #isAwaiting = false;

  constructor(section, video) {
    super();
    [this.#section, this.#video] = [section.dataset, video];
    video.addEventListener("loadedmetadata", () => this.#loaded());
    video.addEventListener("error", () => this.#check(), true); // also that of the last <source>, which doesn't bubble
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) queueMicrotask(() => this.#loaded());
    else this.#check();
  }

  /**
   * Told the time of every picture. Some browsers count from the start of the first track and not as the file does; none
   * shows a picture from before the first frame, so an earlier time is that frame's.
   */
  correctOrigin(mediaTimeS) {
    if (mediaTimeS < this.originS - SAME_S) this.originS = mediaTimeS;
  }

  #loaded() {
    const isRecording = new URL(this.#video.currentSrc).pathname.endsWith("/recording");
    if (!this.#video.videoWidth || (isRecording && this.#section.times !== "own")) return this.#refused(isRecording);
    this.originS = isRecording ? Number(this.#section.startOffsetS) : 0; // a preview begins with its first frame
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
    this.#say("The connection to the server was lost. Trying again.");
    setTimeout(() => {
      this.#video.load();
      this.#video.currentTime = currentTime;
    }, AGAIN_MS);
  }

  #refused(isRecording) {
    this.isReady = false;
    if (!isRecording || this.#previewUrl) return this.#say(UNPLAYABLE);
    if (this.#isAwaiting) return; // an error can be told twice
    this.#isAwaiting = true;
    this.#awaitPreview();
  }

  async #awaitPreview() {
    const described = await this.#ask();
    const render = described?.renders?.preview;
    if (described?.links.preview) {
      this.#previewUrl = described.links.preview;
      const { currentTime } = this.#video;
      this.#video.src = this.#previewUrl;
      this.#video.currentTime = currentTime;
      return;
    }
    if (described && !["queued", "running"].includes(render?.status)) return this.#say(UNPLAYABLE);
    const share = render?.frames_total ? ` ${Math.floor((100 * render.frames_done) / render.frames_total)} %` : "";
    this.#say(`Browsers can't play this recording as it is; a preview is being made.${share}`);
    setTimeout(() => this.#awaitPreview(), AGAIN_MS);
  }

  async #ask() {
    try {
      const response = await fetch(this.#section.videoUrl);
      return response.ok ? await response.json() : null;
    } catch {
      return null; // the server or the network is away; it is asked again
    }
  }

  #say(note) {
    this.note = note;
    this.dispatchEvent(new Event("changed"));
  }
}
