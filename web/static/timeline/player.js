// The player of a video's page: the recording in step with the faces drawn over it, to the frame.
//
// A browser tells with each picture its presentation time in the file; the timeline counts from the first frame, so the
// two differ by the first frame's time. Where a browser doesn't tell, its clock decides, and the picture may be one off.

import { Boxes, SAME_S } from "./boxes.js";
import { datum, one } from "../http/elements.js";
import { Moment, exactTime } from "./moment.js";
import { Overlay } from "./overlay.js";
import { playhead } from "./playhead.js";
import { bindFullScreen, bindPin } from "../http/screen.js";
import { Source } from "./sources.js";

const SNAP_S = 0.5; // a wish for a moment means the analysed frame nearest to it, unless that is farther away
const JUMP_S = 5;
const OVERDUE_MS = 500; // after a search: the picture that is shown by then is what the browser has found
const SHORTEST_S = 0.002; // of a frame's time on screen, when files say less: some state a rate of 90000 frames/s

/** @param {HTMLElement} section */
export function startPlayer(section) {
  const boxes = new Boxes(datum(section, "boxesUrl"), Number(datum(section, "durationS")));
  const moment = new Moment(one(section, ".moment"), boxes);
  const video = section.querySelector("video");
  const player = video ? new Player(section, video, boxes, moment) : null;
  const tell = () => {
    if (player?.isReady) return; // it tells by itself
    moment.show(playhead.timestampS, boxes.at(playhead.timestampS));
    boxes.prepare(playhead.timestampS);
  };
  playhead.addEventListener("moved", tell);
  playhead.addEventListener("chosen", tell);
  playhead.addEventListener("changed", () => boxes.forget(playhead.timestampS));
  boxes.addEventListener("loaded", tell);
  tell();
}

class Player {
  #section;
  #video;
  #boxes;
  #moment;
  #overlay;
  #source;
  #shortestS;
  #shownS = 0; // timestamp of the picture that is shown
  /** @type {number | null} */
  #askedS = null; // of the one that was asked for and is not shown yet
  /** @type {number | null} */
  #wishS = null; // where to go, while the frame there is looked up
  #direction = 0; // of the step by which the player goes there: -1, 1, or 0 where it is no step
  /** @type {Set<number>} */
  #unreachable = new Set(); // timestamps of frames for which this browser shows another one
  #steps = Promise.resolve();
  /** @type {number | null} */
  #next = null; // where to go when the present search is over
  #soughtAt = 0; // when the present search began, on the clock of performance.now()
  #presentedAt = 0; // when the picture that was told last was presented
  #isRepeated = false; // the present search has been made twice
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #overdue; // the timer after a search

  /**
   * @param {HTMLElement} section
   * @param {HTMLVideoElement} video
   * @param {Boxes} boxes
   * @param {Moment} moment
   */
  constructor(section, video, boxes, moment) {
    this.#section = section;
    this.#video = video;
    this.#boxes = boxes;
    this.#moment = moment;
    this.#shortestS = Math.max(Number(datum(section, "shortestS")), SHORTEST_S);
    this.#askedS = Number(datum(section, "fromS")) || null; // a clip is what a person comes for
    this.#overlay = new Overlay(video, one(section, "canvas", HTMLCanvasElement), boxes);
    this.#follow();
    this.#bind();
    this.#source = new Source(section, video);
    this.#source.addEventListener("changed", () => this.#tellSource());
    this.#source.addEventListener("ready", () => this.#goOn());
    one(section, ".note button").addEventListener("click", () => this.#source.order());
    this.#tellSource();
  }

  #tellSource() {
    const note = one(this.#section, ".note");
    const [words, again] = [one(note, "p"), one(note, "button")];
    const wasFocused = document.activeElement === again;
    words.textContent = this.#source.note;
    again.hidden = !this.#source.hasFailed;
    note.hidden = !this.#source.note;
    if (wasFocused && again.hidden) words.focus();
    this.#video.controls = false;
    one(this.#section, ".bar").hidden = !this.#source.isReady && Boolean(this.#source.note);
  }

  get isReady() {
    return this.#source.isReady;
  }

  /** The recording can be shown, or its preview in its place: from the moment that was asked for last. */
  #goOn() {
    this.#next = null; // of a search that the recording didn't survive
    this.#unreachable.clear();
    if (this.#here() > 0) this.#goTo(this.#here());
    this.#redraw();
  }

  /** Calls #show for every picture that is shown. */
  #follow() {
    const video = this.#video;
    if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) {
      this.#followPictures();
      return;
    }
    const look = () => this.isReady && this.#show(video.currentTime - this.#source.originS);
    const run = () => {
      look();
      if (!video.paused) requestAnimationFrame(run);
    };
    video.addEventListener("play", run);
    for (const name of ["seeked", "timeupdate", "loadeddata"]) video.addEventListener(name, look);
  }

  #followPictures() {
    const video = this.#video;
    /** @type {VideoFrameRequestCallback} */
    const look = (_now, { mediaTime, presentationTime }) => {
      this.#presentedAt = presentationTime;
      if (this.isReady) {
        this.#source.correctOrigin(mediaTime);
        this.#show(mediaTime - this.#source.originS);
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    video.addEventListener("seeking", () => clearTimeout(this.#overdue));
    video.addEventListener("seeked", () => (this.#overdue = setTimeout(() => this.#settle(), OVERDUE_MS)));
  }

  /** @param {number} timestampS */
  #show(timestampS) {
    const frame = this.#boxes.at(timestampS);
    const isSame = frame && Math.abs(frame.timestampS - timestampS) < SAME_S;
    this.#shownS = isSame ? frame.timestampS : Math.max(0, timestampS);
    if (isSame) this.#unreachable.delete(frame.timestampS);
    if (this.#askedS === null || Math.abs(this.#shownS - this.#askedS) < SAME_S || !this.#video.paused) this.#askedS = null;
    this.#boxes.prepare(this.#shownS);
    this.#redraw();
    playhead.moved(this.#shownS);
  }

  /**
   * A search is over, and another picture is shown than the one asked for. Browsers look for the key frame before a
   * moment in order of decoding, so that some frames just before a key frame of a recording with a variable rate are
   * shown while it plays, but can't be searched for. They also tell of no picture that comes while the one before it is
   * still being told: then the search is made again, once.
   */
  #settle() {
    const askedS = this.#askedS;
    if (askedS === null || this.#video.seeking || this.#next !== null) return;
    if (this.#presentedAt < this.#soughtAt && !this.#isRepeated) {
      this.#isRepeated = true;
      this.#video.currentTime = this.#video.currentTime;
      return;
    }
    this.#askedS = null;
    if (Math.abs(askedS - this.#shownS) < SAME_S) return; // it was shown already
    this.#unreachable.add(askedS);
    if (this.#direction * (this.#shownS - askedS) < 0) this.#step(this.#direction); // or it would never get past it
  }

  #redraw() {
    const frame = this.#boxes.at(this.#shownS);
    this.#overlay.show(frame ?? null);
    this.#moment.show(this.#shownS, frame);
    const position = one(this.#section, ".position", HTMLInputElement);
    if (!position.matches(":active")) position.value = String(this.#shownS);
    position.setAttribute("aria-valuetext", exactTime(this.#shownS));
  }

  /**
   * Goes to the analysed frame nearest to a moment; to the moment itself where no such frame is near.
   *
   * @param {number} timestampS
   */
  async #goTo(timestampS, direction = 0) {
    this.#direction = direction;
    const isBusy = this.#wishS !== null;
    this.#wishS = timestampS;
    if (isBusy) return; // the newest wish is met below; those in between are not
    let met = null;
    while (met !== this.#wishS) {
      met = this.#wishS;
      const near = await this.#boxes.nearest(met);
      if (near && Math.abs(near.timestampS - met) <= SNAP_S) this.#seekInto(near.timestampS, near.nextS);
      else this.#seekTo(met);
    }
    this.#wishS = null;
  }

  /**
   * Aims at the middle of a frame's time on screen: at its edges rounding could give its neighbour.
   *
   * @type {(timestampS: number, nextS: number | null) => void}
   */
  #seekInto(timestampS, nextS) {
    this.#askedS = timestampS;
    this.#seekTo(timestampS + Math.min(this.#shortestS, (nextS ?? Infinity) - timestampS) / 2);
  }

  /**
   * One search at a time, so that pictures are shown also while wishes come faster than they can be met.
   *
   * @param {number} timestampS
   */
  #seekTo(timestampS) {
    if (this.#video.seeking) {
      this.#next = timestampS;
      return;
    }
    [this.#soughtAt, this.#isRepeated] = [performance.now(), false];
    this.#video.currentTime = this.#source.originS + timestampS;
  }

  /**
   * One analysed frame back (-1) or on (1); one after the other, however fast the key repeats.
   *
   * @param {number} direction
   */
  #step(direction) {
    this.#video.pause();
    this.#steps = this.#steps.then(async () => {
      /** @type {number | null} */
      let found = this.#here();
      do found = await this.#boxes.neighbour(found, direction);
      while (found !== null && this.#unreachable.has(found));
      if (found !== null) await this.#goTo(found, direction);
    });
  }

  /** Where steps go on from: what was asked for, unless the picture is beyond it already. */
  #here() {
    if (this.#askedS === null) return this.#shownS;
    const isBeyond = !this.#video.seeking && this.#direction * (this.#shownS - this.#askedS) > 0;
    return isBeyond ? this.#shownS : this.#askedS;
  }

  /** @param {number} seconds */
  #jump(seconds) {
    const durationS = Number(datum(this.#section, "durationS"));
    this.#goTo(Math.min(Math.max(this.#here() + seconds, 0), durationS));
  }

  #toggle() {
    if (this.#video.paused) this.#video.play().catch(() => {}); // refused or stopped again: it shows as paused
    else this.#video.pause();
  }

  #bind() {
    const video = this.#video;
    playhead.addEventListener("seek", (event) => {
      if (!(event instanceof CustomEvent)) return;
      if (!this.isReady) {
        this.#askedS = event.detail;
        return; // the cursor goes there alone, for now
      }
      event.preventDefault();
      this.#goTo(event.detail);
    });
    playhead.addEventListener("chosen", () => this.#redraw());
    this.#boxes.addEventListener("loaded", () => this.isReady && this.#redraw());
    video.addEventListener("seeked", () => {
      const next = this.#next;
      this.#next = null;
      if (next !== null) this.#seekTo(next);
    });
    this.#bindState();
    this.#bindButtons();
    this.#bindPicture();
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  #bindState() {
    const video = this.#video;
    const stage = one(this.#section, ".stage");
    const tell = () => {
      const isPlaying = !video.paused && !video.ended;
      this.#section.classList.toggle("playing", isPlaying);
      one(this.#section, ".play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
      this.#moment.isQuiet = isPlaying;
    };
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, tell);
    video.addEventListener("waiting", () => stage.classList.add("waiting"));
    for (const name of ["playing", "seeked", "pause", "error"]) {
      video.addEventListener(name, () => stage.classList.remove("waiting"));
    }
  }

  #bindButtons() {
    const video = this.#video;
    /** @type {(name: string, action: (button: HTMLButtonElement) => void) => void} */
    const on = (name, action) => {
      const button = one(this.#section, `.bar .${name}`, HTMLButtonElement);
      button.addEventListener("click", () => action(button));
    };
    on("play", () => this.#toggle());
    on("previous", () => this.#step(-1));
    on("on", () => this.#step(1));
    on("sound", (button) => {
      video.muted = !video.muted;
      button.setAttribute("aria-pressed", String(!video.muted));
    });
    on("faces", (button) => {
      this.#overlay.isShown = !this.#overlay.isShown;
      button.setAttribute("aria-pressed", String(this.#overlay.isShown));
      this.#overlay.draw();
    });
    const speed = one(this.#section, ".speed", HTMLSelectElement);
    speed.addEventListener("change", () => (video.playbackRate = Number(speed.value)));
    const position = one(this.#section, ".position", HTMLInputElement);
    position.addEventListener("input", () => this.#goTo(Number(position.value)));
    bindFullScreen(this.#section, one(this.#section, ".full"));
    bindPin(this.#section, one(this.#section, ".pin"));
  }

  #bindPicture() {
    const video = this.#video;
    video.addEventListener("click", ({ clientX, clientY }) => {
      if (!this.isReady) return;
      const face = this.#overlay.faceAt(clientX, clientY);
      if (face) playhead.choose(face.faceId);
      else this.#toggle();
    });
    video.addEventListener("pointermove", ({ clientX, clientY }) => {
      video.parentElement?.classList.toggle("over-face", this.#overlay.faceAt(clientX, clientY) !== null);
    });
  }

  /**
   * Keys of the player when the focus is in it; the arrows also when it is nowhere.
   *
   * @param {KeyboardEvent} event
   */
  #press(event) {
    const { key, target } = event;
    const isArrow = key === "ArrowLeft" || key === "ArrowRight";
    if (!this.isReady || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (!(target instanceof Element)) return;
    if (!this.#section.contains(target) && !(isArrow && target === document.body)) return;
    if (target.matches("select") || (key === " " && target.matches("button"))) return; // they need these themselves
    const direction = key === "ArrowLeft" ? -1 : 1;
    if (isArrow && event.shiftKey) this.#jump(direction * JUMP_S);
    else if (isArrow) this.#step(direction);
    else if (key === " " || key.toLowerCase() === "k") this.#toggle();
    else if (key.toLowerCase() === "f") one(this.#section, ".full").click();
    else return;
    event.preventDefault();
  }
}
