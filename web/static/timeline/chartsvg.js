// The chart as a file: the same figure on paper, with its title, legend and how it was made; always in the light theme.

import { context } from "../http/elements.js";
import { STATUSES, draw, lightColours } from "./figure.js";

/** @import { Lettering, Scene, Surface } from "./figure.js" */

const WIDTH = 1200;
const MARGIN = 24;
const PANEL = 420;
const HEADER = 116;
const FOOTER = 58;
/** @type {Partial<Record<Api.FrameStatus, string>>} */
const KEYS = { too_small: "face too small", no_face: "no face", decode_error: "not readable" };
const FONT = "Helvetica, Arial, sans-serif";

/**
 * @param {Scene} scene its size and colours are the file's own
 * @param {{title: string, subtitle: string, caption: string}} words
 * @returns {string} a whole SVG document
 */
export function svg(scene, { title, subtitle, caption }) {
  const colours = lightColours();
  const height = HEADER + PANEL * scene.panels.length + FOOTER;
  const surface = new SvgSurface();
  surface.text(title, 0, 22, { colour: colours.ink, weight: 700, size: 20 });
  surface.text(subtitle, 0, 44, { colour: colours.soft, size: 14 });
  legend(surface, scene, colours);
  draw(surface, { ...scene, colours, width: WIDTH - 2 * MARGIN, height: height - FOOTER, top: HEADER });
  const middle = (WIDTH - 2 * MARGIN) / 2;
  surface.text("Probability", 0, HEADER - 14, { colour: colours.soft });
  surface.text("Time in the recording", middle, height - FOOTER + 14, { colour: colours.soft, anchor: "middle" });
  surface.text(caption, 0, height - 10, { colour: colours.soft });
  const [full, tall] = [WIDTH, height + 2 * MARGIN];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${full}" height="${tall}" viewBox="0 0 ${full} ${tall}" font-family="${FONT}">`,
    `<title>${escaped(`${title}: ${subtitle}`)}</title><desc>${escaped(caption)}</desc>`,
    `<rect width="${full}" height="${tall}" fill="#ffffff"/>`,
    `<g transform="translate(${MARGIN} ${MARGIN})" stroke-linejoin="round" stroke-linecap="round">`,
    ...surface.parts,
    "</g></svg>",
  ].join("\n");
}

/**
 * The emotions as lines, and as squares what the band under them shows besides readable faces.
 *
 * @type {(surface: SvgSurface, scene: Scene, colours: Record<string, string>) => void}
 */
function legend(surface, { emotions, shown, panels }, colours) {
  let x = 0;
  for (const emotion of emotions.filter((one) => shown.has(one))) {
    const path = surface.path();
    path.moveTo(x + 2, 68);
    path.lineTo(x + 20, 68);
    surface.stroke(path, colours[emotion], 3.5);
    surface.text(emotion, x + 27, 73, { colour: colours.ink, size: 14 });
    x += 98;
  }
  const statuses = /** @type {Api.FrameStatus[]} */ (Object.keys(KEYS));
  for (const status of statuses.filter((one) => panels.some(({ answer }) => answer?.quality[one].some(Boolean)))) {
    const path = surface.path();
    path.rect(x, 63, 10, 10);
    surface.fill(path, colours[STATUSES[status]]);
    surface.text(KEYS[status] ?? status, x + 17, 73, { colour: colours.ink, size: 14 });
    x += 136;
  }
}

/**
 * Draws an SVG document into a PNG of twice its size.
 *
 * @param {string} document_
 * @returns {Promise<Blob>}
 */
export async function png(document_) {
  const url = URL.createObjectURL(new Blob([document_], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
    context(canvas).drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large."))), "image/png");
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Lets the browser save it.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

class SvgPath {
  data = "";

  /** @type {Path2D["moveTo"]} */
  moveTo(x, y) {
    this.data += `M${short(x)} ${short(y)}`;
  }

  /** @type {Path2D["lineTo"]} */
  lineTo(x, y) {
    this.data += `L${short(x)} ${short(y)}`;
  }

  /** @type {Path2D["rect"]} */
  rect(x, y, width, height) {
    this.data += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
  }

  closePath() {
    this.data += "z";
  }
}

class SvgSurface {
  /** @type {string[]} */
  parts = [];
  clips = 0;

  path() {
    return new SvgPath();
  }

  /** @type {(path: SvgPath, colour: string, alpha?: number) => void} */
  fill({ data }, colour, alpha = 1) {
    if (data) this.parts.push(`<path d="${data}" fill="${colour}"${alpha < 1 ? ` fill-opacity="${alpha}"` : ""}/>`);
  }

  /** @type {(path: SvgPath, colour: string, width: number, alpha?: number, name?: string) => void} */
  stroke({ data }, colour, width, alpha = 1, name = "") {
    if (!data) return;
    const named = name ? ` class="${name}"` : "";
    const faint = alpha < 1 ? ` stroke-opacity="${alpha}"` : "";
    this.parts.push(`<path${named} d="${data}" fill="none" stroke="${colour}" stroke-width="${width}"${faint}/>`);
  }

  /** @type {(words: string, x: number, y: number, lettering: Lettering) => void} */
  text(words, x, y, { colour, anchor = "start", weight = 400, size = 12 }) {
    const how = `fill="${colour}" text-anchor="${anchor}" font-weight="${weight}" font-size="${size}"`;
    this.parts.push(`<text x="${short(x)}" y="${short(y)}" ${how}>${escaped(words)}</text>`);
  }

  /** @type {Surface["clip"]} */
  clip(x, y, width, height, drawInside) {
    const id = `clip${++this.clips}`;
    const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
    this.parts.push(`<clipPath id="${id}"><rect ${box}/></clipPath><g clip-path="url(#${id})">`);
    drawInside();
    this.parts.push("</g>");
  }
}

/** @type {(number: number) => number} */
function short(number) {
  return Math.round(number * 100) / 100;
}

/** @type {(words: string) => string} */
function escaped(words) {
  /** @type {Record<string, string>} */
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // oxlint-disable-next-line no-control-regex -- XML has no way to write these characters
  return words.replace(/[&<>"]/g, (c) => entities[c]).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");
}
