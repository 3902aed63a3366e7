// @ts-check
// Paints pictures on a 2D canvas: those of 8 bits, and films where there is no WebGL2.

import { levelFor } from "./film.js";
import { inverse } from "./placement.js";

/** @typedef {import("./viewer.js").Scene} Scene */
/** @typedef {import("./viewer.js").Picture} Picture */
/** @typedef {HTMLImageElement | HTMLCanvasElement} Raster what is drawn, and is as large as one copy of the picture */

const RING = "rgb(140 153 153)";

export class CanvasPainter {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    /** The last one made, and what from. @type {{ picture: Picture, table: Uint8Array, level: number, raster: Raster } | null} */
    this.made = null;
  }

  /** @param {Scene} scene */
  paint(scene) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    this.draw(scene, 0, 0, 1);
    if (scene.lens) this.magnify(scene, scene.lens);
  }

  /**
   * The picture, enlarged about a point.
   * @param {Scene} scene
   * @param {number} x device pixels
   * @param {number} y
   * @param {number} enlargement
   */
  draw({ picture, table, plain, toPicture, scale, smooth }, x, y, enlargement) {
    const { context } = this;
    const level = picture.film ? levelFor(scale, picture.film.levels.length) : 0;
    const raster = plain && picture.image ? picture.image : this.raster(picture, table, level);
    const size = 2 ** level;
    context.setTransform(enlargement, 0, 0, enlargement, x - enlargement * x, y - enlargement * y);
    context.transform(...inverse(toPicture));
    context.imageSmoothingEnabled = smooth || scale < 1;
    context.imageSmoothingQuality = "high";
    const [width, height] =
      raster instanceof HTMLImageElement ? [raster.naturalWidth, raster.naturalHeight] : [raster.width, raster.height];
    context.drawImage(raster, 0, 0, width * size, height * size);
  }

  /**
   * @param {Scene} scene
   * @param {NonNullable<Scene["lens"]>} lens
   */
  magnify(scene, { x, y, radius, enlargement }) {
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.save();
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.clip();
    context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    this.draw(scene, x, y, enlargement);
    context.restore();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.strokeStyle = RING;
    context.lineWidth = 2;
    context.stroke();
  }

  /**
   * The picture as it looks through the table.
   * @param {Picture} picture
   * @param {Uint8Array} table
   * @param {number} level
   * @returns {Raster}
   */
  raster(picture, table, level) {
    const { made } = this;
    if (made?.picture === picture && made.table === table && made.level === level) return made.raster;
    const raster = picture.film ? grayRaster(picture.film.levels[level], table) : colourRaster(picture.image, table);
    this.made = { picture, table, level, raster };
    return raster;
  }
}

/**
 * @param {import("./film.js").Level} level
 * @param {Uint8Array} table
 */
function grayRaster({ width, height, values }, table) {
  const { canvas, context } = blank(width, height);
  const pixels = context.createImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < values.length; i++) words[i] = 0xff000000 | (table[values[i]] * 0x010101);
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * @param {HTMLImageElement} image
 * @param {Uint8Array} table
 */
function colourRaster(image, table) {
  const { canvas, context } = blank(image.naturalWidth, image.naturalHeight);
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const { data } = pixels;
  for (let i = 0; i < data.length; i++) if (i % 4 !== 3) data[i] = table[data[i]];
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * @param {number} width
 * @param {number} height
 */
function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return { canvas, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")) };
}
