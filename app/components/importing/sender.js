// @ts-check
// Sends files in parts. What has arrived is not sent again; after a lost connection, sending continues.

import { ApiError, getJson, postJson } from "../../static/lib/api.js";

/** @typedef {import("./files.js").Chosen} Chosen */
/** @typedef {{ done: number, total: number, files: number, of: number, trouble: string }} Progress bytes and files */
/** @typedef {{ upload: string, refused: [string, string][] }} Sent the upload, and the files that the app refused */

const PART = 2 * 1024 * 1024; // bytes
const LEAST_PART = 64 * 1024;
const LANES = 3;
const WAIT_MS = [500, 1000, 2000, 4000];

/** The person cancelled. */
export class Stopped extends Error {}

export class Sender {
  /**
   * @param {Chosen[]} files
   * @param {(progress: Progress) => void} report
   */
  constructor(files, report) {
    this.files = files;
    this.report = report;
    this.total = files.reduce((sum, { file }) => sum + file.size, 0);
    this.upload = "";
    this.part = PART;
    this.trouble = "";
    this.stopped = false;
    /** @type {Map<string, number>} bytes that the app holds, by path */
    this.held = new Map();
    /** @type {[string, string][]} */
    this.refused = [];
  }

  stop() {
    this.stopped = true;
  }

  /**
   * Send all files. Throws Stopped, and ApiError for errors that remain when the request is repeated.
   * @param {string} [known] an upload that was interrupted
   * @returns {Promise<Sent>}
   */
  async run(known) {
    if (known) await this.takeUp(known);
    for (;;) {
      try {
        if (!this.upload) this.upload = (await this.ask(() => postJson("/data/uploads"))).id;
        await this.sendAll();
        await this.finish();
        return { upload: this.upload, refused: this.refused };
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
        this.upload = ""; // the app was restarted and has removed incomplete uploads
        this.held.clear();
      }
    }
  }

  /** @param {string} upload */
  async takeUp(upload) {
    try {
      const { sizes } = await getJson(`/data/uploads/${upload}`);
      const wanted = new Map(this.files.map(({ path, file }) => [path, file.size]));
      const fits = Object.entries(sizes).every(([path, size]) => size <= (wanted.get(path) ?? -1));
      if (!fits) return;
      this.upload = upload;
      for (const [path, size] of Object.entries(sizes)) this.held.set(path, size);
    } catch {
      // The upload no longer exists: everything is sent.
    }
  }

  async sendAll() {
    const queue = this.files.values();
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        for (const each of queue) await this.send(each);
      }),
    );
  }

  /** @param {Chosen} chosen */
  async send({ path, file }) {
    if (this.refused.some(([known]) => known === path)) return;
    let at = this.held.get(path) ?? 0;
    if (this.held.has(path) && at >= file.size) return;
    try {
      do {
        at = await this.sendPart(path, file, at);
        this.held.set(path, at);
        this.tell();
      } while (at < file.size);
    } catch (error) {
      if (error instanceof Stopped || (error instanceof ApiError && error.status === 404)) throw error;
      this.held.delete(path);
      this.refused.push([path, error instanceof Error ? error.message : String(error)]);
    }
  }

  /**
   * @param {string} path
   * @param {File} file
   * @param {number} at
   * @returns {Promise<number>} the bytes of the file that have arrived
   */
  async sendPart(path, file, at) {
    const data = await file.slice(at, at + this.part).arrayBuffer(); // throws if the file was deleted
    const place = new URLSearchParams({ upload: this.upload, path, offset: String(at) });
    const answer = await this.ask(() =>
      getJson(`/data/uploads/part?${place}`, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: data,
      }),
    );
    return answer === null ? at : answer.size;
  }

  async finish() {
    const files = [...this.held.keys()].length;
    if (!files) throw new ApiError(400, { error: this.refused[0]?.[1] ?? "there are no images among these files" });
    const bytes = [...this.held.values()].reduce((sum, size) => sum + size, 0);
    await this.ask(() => postJson(`/data/uploads/${this.upload}/finish`, { files, bytes }));
  }

  /**
   * Repeat a request until it is answered; null: the part was too large for the connection, and parts are smaller now.
   * @param {() => Promise<any>} request
   */
  async ask(request) {
    for (let tries = 0; ; tries++) {
      if (this.stopped) throw new Stopped();
      try {
        const answer = await request();
        this.trouble = "";
        return answer;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 408 && this.part > LEAST_PART) {
          this.part = this.part / 2;
          return null;
        }
        if (error.status && error.status < 500 && ![401, 408].includes(error.status)) throw error;
        this.trouble = error.message;
        this.tell();
        await new Promise((done) => setTimeout(done, WAIT_MS[Math.min(tries, WAIT_MS.length - 1)]));
      }
    }
  }

  tell() {
    const done = [...this.held.values()].reduce((sum, size) => sum + size, 0);
    this.report({ done, total: this.total, files: this.held.size, of: this.files.length, trouble: this.trouble });
  }
}
