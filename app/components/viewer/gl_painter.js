// @ts-check
// Paints films with WebGL2: the 16 bits lie in a texture, and a table of 65,536 grays is looked up for each pixel
// of the screen, so that a drag of the window moves 64 kB and no pixel.

import { levelFor } from "./film.js";
import { VALUES } from "./levels.js";

/** @typedef {import("./film.js").Film} Film */
/** @typedef {import("./viewer.js").Scene} Scene */

const TABLE_SIDE = Math.sqrt(VALUES);
const FILMS_KEPT = 3;

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(4.0 * corner - 1.0, 0.0, 1.0);
}`;

// Interpolated are the stored values, before the window, as DICOM wants it (PS3.4 N.2).
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D film;
uniform usampler2D table;
uniform mat3 toPicture; // device pixels from the upper left -> pixels of the whole picture
uniform vec2 stage;     // device pixels
uniform vec2 picture;   // pixels
uniform int level;
uniform bool smoothed;
uniform vec4 lens;      // x, y, radius in device pixels, enlargement; radius 0: none
out vec4 colour;

float stored(ivec2 at, ivec2 size) {
  return float(texelFetch(film, clamp(at, ivec2(0), size - 1), level).r);
}

void main() {
  vec2 at = vec2(gl_FragCoord.x, stage.y - gl_FragCoord.y);
  float away = distance(at, lens.xy);
  if (away < lens.z) {
    if (away > lens.z - 2.0) { colour = vec4(0.55, 0.6, 0.6, 1.0); return; }
    at = lens.xy + (at - lens.xy) / lens.w;
  }
  vec2 place = (toPicture * vec3(at, 1.0)).xy;
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, picture))) { colour = vec4(0.0, 0.0, 0.0, 1.0); return; }
  ivec2 size = textureSize(film, level);
  vec2 p = place / float(1 << level);
  float value;
  if (smoothed) {
    vec2 corner = floor(p - 0.5);
    vec2 part = p - 0.5 - corner;
    ivec2 c = ivec2(corner);
    float above = mix(stored(c, size), stored(c + ivec2(1, 0), size), part.x);
    float below = mix(stored(c + ivec2(0, 1), size), stored(c + ivec2(1, 1), size), part.x);
    value = mix(above, below, part.y);
  } else {
    value = stored(ivec2(floor(p)), size);
  }
  int index = int(value + 0.5);
  float gray = float(texelFetch(table, ivec2(index & 255, index >> 8), 0).r) / 255.0;
  colour = vec4(gray, gray, gray, 1.0);
}`;

export class GlPainter {
  /**
   * Null where this browser has no WebGL2.
   * @param {HTMLCanvasElement} canvas
   */
  static on(canvas) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    return gl && gl.getParameter(gl.MAX_TEXTURE_SIZE) >= 4096 ? new GlPainter(canvas, gl) : null;
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {WebGL2RenderingContext} gl
   */
  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    /** The latest used last. @type {Map<Film, WebGLTexture>} */
    this.films = new Map();
    this.start();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.start());
  }

  start() {
    const { gl } = this;
    this.films.clear();
    /** Of the shader's uniforms. @type {Map<string, WebGLUniformLocation | null>} */
    this.places = new Map();
    this.program = linked(gl);
    this.table = made(gl.createTexture());
    /** @type {Uint8Array | null} */
    this.uploaded = null;
    gl.bindVertexArray(gl.createVertexArray());
    gl.useProgram(this.program);
    gl.uniform1i(this.at("film"), 0);
    gl.uniform1i(this.at("table"), 1);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  /** @param {Film} film */
  takes(film) {
    return Math.max(film.width, film.height) <= this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE);
  }

  /** @param {Scene & { picture: { film: Film } }} scene */
  paint({ picture: { film }, table, toPicture, scale, smooth, lens }) {
    const { gl, canvas } = this;
    this.bindFilm(film);
    this.bindTable(table);
    gl.viewport(0, 0, canvas.width, canvas.height);
    const [a, b, c, d, e, f] = toPicture;
    gl.uniformMatrix3fv(this.at("toPicture"), false, [a, b, 0, c, d, 0, e, f, 1]);
    gl.uniform2f(this.at("stage"), canvas.width, canvas.height);
    gl.uniform2f(this.at("picture"), film.width, film.height);
    gl.uniform1i(this.at("level"), levelFor(scale, film.levels.length));
    gl.uniform1i(this.at("smoothed"), Number(smooth));
    gl.uniform4f(this.at("lens"), lens?.x ?? 0, lens?.y ?? 0, lens?.radius ?? 0, lens?.enlargement ?? 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** @param {string} name */
  at(name) {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const place = this.gl.getUniformLocation(made(this.program ?? null), name);
    this.places.set(name, place);
    return place;
  }

  /** Send a film to the GPU before it is shown. @param {Film} film */
  bindFilm(film) {
    const { gl, films } = this;
    const texture = films.get(film) ?? uploaded(gl, film);
    films.delete(film);
    films.set(film, texture);
    for (const [old, its] of films) {
      if (films.size <= FILMS_KEPT) break;
      gl.deleteTexture(its);
      films.delete(old);
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
  }

  /** @param {Uint8Array} table */
  bindTable(table) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, made(this.table ?? null));
    if (this.uploaded === table) return;
    this.uploaded = table;
    nearest(gl);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, TABLE_SIDE, TABLE_SIDE, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, table);
  }
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {Film} film
 */
function uploaded(gl, film) {
  const texture = made(gl.createTexture());
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, film.levels.length - 1);
  nearest(gl, gl.NEAREST_MIPMAP_NEAREST);
  for (const [level, { width, height, values }] of film.levels.entries()) {
    gl.texImage2D(gl.TEXTURE_2D, level, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, values);
  }
  return texture;
}

/**
 * Integer textures cannot be interpolated by the GPU.
 * @param {WebGL2RenderingContext} gl
 * @param {number} [smaller]
 */
function nearest(gl, smaller = gl.NEAREST) {
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, smaller);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
}

/** @param {WebGL2RenderingContext} gl */
function linked(gl) {
  const program = made(gl.createProgram());
  for (const [kind, source] of /** @type {[number, string][]} */ ([
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ])) {
    const shader = made(gl.createShader(kind));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (gl.isContextLost() || gl.getProgramParameter(program, gl.LINK_STATUS)) return program;
  throw new Error(gl.getProgramInfoLog(program) ?? "the shader cannot be linked");
}

/**
 * @template T
 * @param {T | null} object
 * @returns {T}
 */
function made(object) {
  if (object === null) throw new Error("WebGL2 gives nothing");
  return object;
}
