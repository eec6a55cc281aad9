// A canvas that a figure is drawn on.

import { context } from "../http/elements.js";

/** @import { Surface } from "./figure.js" */

/** A canvas as a surface; its own pixels may be finer than the page's. */
export class CanvasSurface {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} width in pixels of the page, as is the height
   * @param {number} height
   * @param {number} ratio of the canvas's own pixels to those of the page
   * @param {string} font
   */
  constructor(canvas, width, height, ratio, font) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this.context = context(canvas);
    this.context.scale(ratio, ratio);
    this.context.lineJoin = this.context.lineCap = "round";
    this.font = font;
  }

  path() {
    return new Path2D();
  }

  /** @type {(path: Path2D, colour: string, alpha?: number) => void} */
  fill(path, colour, alpha = 1) {
    Object.assign(this.context, { fillStyle: colour, globalAlpha: alpha });
    this.context.fill(path);
  }

  /** @type {(path: Path2D, colour: string, width: number, alpha?: number) => void} */
  stroke(path, colour, width, alpha = 1) {
    Object.assign(this.context, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha });
    this.context.stroke(path);
  }

  /** @type {Surface["text"]} */
  text(words, x, y, { colour, anchor = "start", weight = 400 }) {
    const align = anchor === "middle" ? "center" : anchor;
    Object.assign(this.context, { fillStyle: colour, globalAlpha: 1, textAlign: align, font: `${weight} 12px ${this.font}` });
    this.context.fillText(words, x, y);
  }

  /** @type {Surface["clip"]} */
  clip(x, y, width, height, drawInside) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    drawInside();
    this.context.restore();
  }
}
