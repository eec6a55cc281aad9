// Boxes and labels over the picture of a video: drawn on a canvas that has the screen's own pixels, so they are sharp.

import { context } from "../http/elements.js";
import { playhead } from "./playhead.js";

/** @import { Boxes, Face, Frame } from "./boxes.js" */

const RADIUS = 8; // all lengths in CSS pixels
const LINE = 2.5;
const FONT_SIZE = 13;
const PADDING = 6;
const DOT = 4.5; // radius

export class Overlay {
  isShown = true;
  #video;
  #canvas;
  #boxes;
  /** @type {Frame | null} */
  #frame = null;
  /** @type {(name: string) => string} */
  #colour = () => ""; // of an emotion, or another of style.css

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas
   * @param {Boxes} boxes
   */
  constructor(video, canvas, boxes) {
    this.#video = video;
    this.#canvas = canvas;
    this.#boxes = boxes;
    const adapt = () => {
      this.#readTheme();
      this.#fit();
    };
    adapt();
    new ResizeObserver(() => this.#fit()).observe(video);
    video.addEventListener("loadedmetadata", () => this.#fit());
    video.addEventListener("resize", () => this.#fit());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", adapt);
    watchPixelRatio(() => this.#fit());
  }

  /**
   * Shows a frame's faces, or nothing where it is null.
   *
   * @param {Frame | null} frame
   */
  show(frame) {
    this.#frame = frame;
    this.draw();
  }

  draw() {
    const drawing = context(this.#canvas);
    drawing.setTransform(1, 0, 0, 1, 0, 0);
    drawing.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (!this.isShown || !this.#video.videoWidth) return;
    drawing.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const faces = this.#frame?.faces ?? [];
    for (const face of [...faces].sort((a, b) => Number(isChosen(a)) - Number(isChosen(b)))) this.#drawFace(drawing, face); // on top
  }

  /**
   * @param {number} clientX
   * @param {number} clientY
   * @returns {Face | null} the face whose box is at a point of the screen; null where there is none. The smallest wins.
   */
  faceAt(clientX, clientY) {
    if (!this.isShown) return null;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const hit = (this.#frame?.faces ?? []).filter((face) => {
      const [x, y, w, h] = this.#placed(face);
      return clientX - left >= x && clientX - left <= x + w && clientY - top >= y && clientY - top <= y + h;
    });
    return hit.sort((a, b) => a.w * a.h - b.w * b.h)[0] ?? null;
  }

  #readTheme() {
    const style = getComputedStyle(document.documentElement);
    this.#colour = (name) => style.getPropertyValue(`--${name}`).trim();
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.draw();
  }

  /**
   * A face's box in CSS pixels of the canvas. The picture fills the element as far as its proportions let it.
   *
   * @param {Face} face
   * @returns {[x: number, y: number, w: number, h: number]}
   */
  #placed({ x, y, w, h }) {
    const { clientWidth, clientHeight } = this.#canvas;
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
    const [width, height] = [videoWidth * scale, videoHeight * scale];
    const [left, top] = [(clientWidth - width) / 2, (clientHeight - height) / 2];
    const [perX, perY] = [width / this.#boxes.width, height / this.#boxes.height];
    return [left + x * perX, top + y * perY, w * perX, h * perY];
  }

  /** @type {(context: CanvasRenderingContext2D, face: Face) => void} */
  #drawFace(context, face) {
    const [x, y, w, h] = this.#placed(face);
    const colour = this.#colour(face.emotion ?? "soft");
    context.beginPath();
    context.roundRect(x, y, w, h, Math.min(RADIUS, w / 4, h / 4));
    context.setLineDash(face.emotion ? [] : [5, 4]);
    const line = isChosen(face) ? LINE * 1.6 : LINE;
    stroke(context, this.#colour("card"), line + 2); // an edge, so that the line stands out from any picture
    stroke(context, colour, line);
    this.#drawLabel(context, face, colour, x, y, h);
  }

  /** @type {(context: CanvasRenderingContext2D, face: Face, colour: string, x: number, y: number, h: number) => void} */
  #drawLabel(context, face, colour, x, y, h) {
    const { clientWidth, clientHeight } = this.#canvas;
    const text = `${nameOf(face, this.#boxes)} · ${expression(face)}`;
    context.font = `600 ${FONT_SIZE}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.setLineDash([]);
    const start = 2 * PADDING + 2 * DOT;
    const [width, height] = [start + context.measureText(text).width + PADDING, FONT_SIZE + 2 * PADDING - 2];
    const left = Math.max(1, Math.min(x, clientWidth - width - 1));
    const above = y - height - 5;
    const top = above >= 1 ? above : Math.min(y + h + 5, clientHeight - height - 1);
    context.beginPath();
    context.roundRect(left, top, width, height, 5);
    context.fillStyle = this.#colour("card");
    context.fill();
    if (isChosen(face)) stroke(context, colour, 2);
    context.fillStyle = this.#colour("ink");
    context.fillText(text, left + start, top + height / 2 + 0.5);
    context.fillStyle = colour;
    context.beginPath();
    context.arc(left + PADDING + DOT, top + height / 2, DOT, 0, 2 * Math.PI);
    context.fill();
  }
}

/**
 * What a person calls a face, or its number.
 *
 * @param {Pick<Face, "faceId">} face
 * @param {Boxes} boxes
 */
export function nameOf(face, boxes) {
  return boxes.names.get(face.faceId) ?? `Face ${face.faceId}`;
}

/**
 * Its strongest expression in words.
 *
 * @param {Face} face
 */
export function expression(face) {
  return face.emotion && face.probability !== null ? `${face.emotion} ${Math.round(face.probability * 100)} %` : "too small to tell";
}

/** @param {Face} face */
function isChosen(face) {
  return face.faceId === playhead.faceId;
}

/** @type {(context: CanvasRenderingContext2D, colour: string, width: number) => void} */
function stroke(context, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

/**
 * Calls back when the page moves to a screen of another density, or is zoomed.
 *
 * @param {() => void} callback
 */
function watchPixelRatio(callback) {
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
    "change",
    () => {
      callback();
      watchPixelRatio(callback);
    },
    { once: true },
  );
}
