// @ts-check
// Reads a stored gray PNG of 16 bits with all its bits: a browser's own decoder gives only 8 of them.
// PNG, third edition: chunks (5), filters (9), iTXt (11.3.3.4).

import { plainDisplay } from "./levels.js";

/** @typedef {import("./levels.js").Display} Display */
/** @typedef {{ width: number, height: number, values: Uint16Array, display: Display }} GrayPng */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const BYTES = 2; // a pixel

/**
 * Throws an Error for anything but a sound gray PNG of 16 bits, not interlaced.
 * @param {Uint8Array} file
 * @returns {Promise<GrayPng>}
 */
export async function readGrayPng(file) {
  if (SIGNATURE.some((byte, index) => file[index] !== byte)) throw new Error("not a PNG");
  const chunks = [...chunksOf(file)];
  const header = chunks.find(({ kind }) => kind === "IHDR")?.body;
  if (!header) throw new Error("a PNG without a header");
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, interlaced] = [header[8], header[9], header[12]];
  if (depth !== 16 || colour !== 0 || interlaced !== 0) throw new Error("not gray of 16 bits");
  const packed = chunks.filter(({ kind }) => kind === "IDAT").map(({ body }) => body);
  const rows = await inflated(packed, height * (1 + BYTES * width));
  const values = unfiltered(rows, width, height);
  return { width, height, values, display: displayOf(chunks) };
}

/**
 * @param {Uint8Array} file
 * @returns {Generator<{ kind: string, body: Uint8Array }>}
 */
function* chunksOf(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = SIGNATURE.length; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...file.subarray(at + 4, at + 8));
    yield { kind, body: file.subarray(at + 8, at + 8 + length) };
    at += 12 + length;
  }
}

/**
 * @param {Uint8Array[]} parts of one zlib stream
 * @param {number} length of what they hold
 */
async function inflated(parts, length) {
  const out = new Uint8Array(length);
  const stream = new Blob(/** @type {BlobPart[]} */ (parts)).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  let at = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const piece = /** @type {Uint8Array} */ (value);
    if (at + piece.length > length) throw new Error("a PNG with more pixels than its header says");
    out.set(piece, at);
    at += piece.length;
  }
  if (at < length) throw new Error("a PNG with fewer pixels than its header says");
  return out;
}

/**
 * Undo the filter of every row; the bytes are changed in place.
 * @param {Uint8Array} rows each a filter byte and 2 bytes a pixel, the high one first
 * @param {number} width
 * @param {number} height
 */
export function unfiltered(rows, width, height) {
  const stride = BYTES * width;
  const values = new Uint16Array(width * height);
  /** @type {Uint8Array} */
  let above = new Uint8Array(stride);
  for (let row = 0; row < height; row++) {
    const start = row * (stride + 1);
    const line = rows.subarray(start + 1, start + 1 + stride);
    unfilterRow(rows[start], line, above);
    const to = row * width;
    for (let x = 0; x < width; x++) values[to + x] = (line[2 * x] << 8) | line[2 * x + 1];
    above = line;
  }
  return values;
}

/**
 * @param {number} filter
 * @param {Uint8Array} line
 * @param {Uint8Array} above
 */
function unfilterRow(filter, line, above) {
  const n = line.length;
  if (filter === 1) for (let i = BYTES; i < n; i++) line[i] += line[i - BYTES];
  else if (filter === 2) for (let i = 0; i < n; i++) line[i] += above[i];
  else if (filter === 3) average(line, above);
  else if (filter === 4) paeth(line, above);
  else if (filter !== 0) throw new Error(`unknown PNG filter ${filter}`);
}

/** @param {Uint8Array} line @param {Uint8Array} above */
function average(line, above) {
  for (let i = 0; i < BYTES; i++) line[i] += above[i] >> 1;
  for (let i = BYTES; i < line.length; i++) line[i] += (line[i - BYTES] + above[i]) >> 1;
}

/** @param {Uint8Array} line @param {Uint8Array} above */
function paeth(line, above) {
  for (let i = 0; i < BYTES; i++) line[i] += above[i];
  for (let i = BYTES; i < line.length; i++) {
    const [left, up, corner] = [line[i - BYTES], above[i], above[i - BYTES]];
    const toLeft = Math.abs(up - corner);
    const toUp = Math.abs(left - corner);
    const toCorner = Math.abs(left + up - 2 * corner);
    line[i] += toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
  }
}

/**
 * How the image is shown, as synthaug/grayscale.py wrote it.
 * @param {{ kind: string, body: Uint8Array }[]} chunks
 * @returns {Display}
 */
function displayOf(chunks) {
  const found = chunks.filter(({ kind }) => kind === "iTXt").map(({ body }) => textOf(body));
  const text = found.find(({ key }) => key === "Display")?.text;
  if (text === undefined)
    return { ...plainDisplay(), bits: 16, windows: [{ center: 32767.5, width: 65535, fn: "LINEAR_EXACT" }] };
  const said = JSON.parse(text);
  return {
    bits: said.bits,
    windows: said.windows.map((/** @type {[number, number, any]} */ [center, width, fn]) => ({ center, width, fn })),
    slope: said.slope,
    intercept: said.intercept,
    inverted: said.inverted,
    table: Uint8Array.from(atob(said.table), (letter) => letter.charCodeAt(0)),
  };
}

/** An uncompressed iTXt chunk: key 0 0 0 language 0 translated key 0 text. @param {Uint8Array} body */
function textOf(body) {
  const decoder = new TextDecoder();
  const ends = [body.indexOf(0)];
  ends.push(body.indexOf(0, ends[0] + 3), 0);
  ends[2] = body.indexOf(0, ends[1] + 1);
  return { key: decoder.decode(body.subarray(0, ends[0])), text: decoder.decode(body.subarray(ends[2] + 1)) };
}
