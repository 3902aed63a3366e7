// @ts-check
// The import of images. States: idle, sending, looking, mapping. Events on document:
//   out  synthaug:poll   an import was queued

import { ApiError, getJson, postJson } from "../../static/lib/api.js";
import { announce, closest, find, make, makeButton } from "../../static/lib/dom.js";
import { count, duration } from "../../static/lib/words.js";
import { chosen, dropped } from "./files.js";
import { Mapping } from "./mapping.js";
import { Sender, Stopped } from "./sender.js";

/** @typedef {import("./files.js").Chosen} Chosen */
/** @typedef {import("./sender.js").Progress} Progress */
/** @typedef {{ upload?: string, path?: string }} Source */
/** @typedef {{ id: string, complete: boolean, title: string, files: number, bytes: number }} Waiting */

/** @param {number} bytes */
function size(bytes) {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** A title for the dropped files. @param {Chosen[]} files */
function titleOf(files) {
  const tops = new Set(files.map(({ path }) => path.split("/")[0]));
  return tops.size === 1 ? [...tops][0] : count(files.length, "file");
}

class Importing {
  /**
   * @param {HTMLElement} root
   * @param {string[]} formats
   */
  constructor(root, formats) {
    this.root = root;
    this.formats = formats;
    /** @type {Sender | null} */
    this.sender = null;
    /** @type {Waiting | null} an upload that was interrupted */
    this.half = null;
    /** @type {[string, string][]} */
    this.refused = [];
    this.began = 0;
    /** @type {Record<string, () => unknown>} */
    const acts = {
      files: () => this.part("[data-files]").click(),
      folder: () => this.part("[data-folder]").click(),
      path: () => this.showPath(),
      stop: () => this.sender?.stop(),
    };
    root.addEventListener("click", (event) => acts[closest(event, "[data-do]")?.dataset.do ?? ""]?.());
    for (const name of ["[data-files]", "[data-folder]"]) {
      const input = find(root, name, HTMLInputElement);
      input.addEventListener("change", () => {
        this.send(chosen(input.files));
        input.value = "";
      });
    }
    this.part("[data-path]").addEventListener("submit", (event) => this.lookAtPath(event));
    this.acceptDrops();
    for (const button of root.querySelectorAll("button")) button.disabled = false;
    this.enter("idle");
    this.findWaiting();
  }

  /** @param {string} selector */
  part(selector) {
    return find(this.root, selector, HTMLElement);
  }

  /** Files dropped beside the zone are accepted too, because the browser would leave the page to open them. */
  acceptDrops() {
    document.addEventListener("dragover", (event) => {
      if (!this.root.isConnected || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = this.state === "idle" ? "copy" : "none";
      this.root.toggleAttribute("data-over", this.state === "idle");
    });
    document.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) this.root.removeAttribute("data-over");
    });
    document.addEventListener("drop", async (event) => {
      if (!this.root.isConnected || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.root.removeAttribute("data-over");
      if (this.state !== "idle") return;
      try {
        await this.send(await dropped(event.dataTransfer));
      } catch (error) {
        this.fail(error);
      }
    });
  }

  get state() {
    return this.root.dataset.state ?? "idle";
  }

  /** @param {"idle" | "sending" | "looking" | "mapping"} state */
  enter(state) {
    this.root.dataset.state = state;
    this.part("[data-drop]").hidden = state !== "idle";
    this.part("[data-path]").hidden = true;
    this.part("[data-waiting]").hidden = true;
    this.part("[data-sending]").hidden = state !== "sending" && state !== "looking";
    this.part("[data-mapping]").hidden = state !== "mapping";
    this.part("[data-problem]").hidden = true;
    find(this.root, '[data-do="path"]', HTMLElement).ariaExpanded = "false";
  }

  /** @param {unknown} error */
  fail(error) {
    this.enter("idle");
    const problem = this.part("[data-problem]");
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  }

  showPath() {
    const form = this.part("[data-path]");
    form.hidden = !form.hidden;
    find(this.root, '[data-do="path"]', HTMLElement).ariaExpanded = String(!form.hidden);
    if (!form.hidden) find(form, "input", HTMLInputElement).focus();
  }

  /** @param {Chosen[]} files */
  async send(files) {
    if (!files.length) {
      this.fail("There are no files in what you dropped or chose.");
      return;
    }
    const title = titleOf(files);
    this.enter("sending");
    this.part("[data-sending-title]").textContent = title;
    this.began = Date.now();
    this.sender = new Sender(files, (progress) => this.showProgress(progress));
    this.sender.tell();
    try {
      const { upload, refused } = await this.sender.run(this.half?.id);
      this.half = null;
      this.refused = refused;
      await this.look({ upload }, title);
    } catch (error) {
      const { upload } = this.sender;
      if (upload) await postJson(`/data/uploads/${upload}/discard`).catch(() => {}); // otherwise it is removed when the app starts again
      this.half = null;
      if (error instanceof Stopped) this.enter("idle");
      else this.fail(error);
    }
  }

  /** @param {Progress} progress */
  showProgress({ done, total, files, of, trouble }) {
    const share = total ? done / total : files / of;
    const meter = find(this.part("[data-sending]"), ".sa-meter", HTMLElement);
    find(meter, "i", HTMLElement).style.width = `${100 * share}%`;
    meter.ariaValueNow = String(Math.round(100 * share));
    const seconds = (Date.now() - this.began) / 1000;
    const left = share > 0.02 && seconds > 2 ? ` · ${duration((seconds * (1 - share)) / share)} left` : "";
    const words = `${size(done)} of ${size(total)} · ${count(files, "file")} of ${of.toLocaleString("en")}${left}`;
    this.part("[data-sending-words]").textContent = trouble
      ? `Interrupted: ${trouble}. Trying again; what has arrived is kept.`
      : words;
    this.part("[data-sending]").toggleAttribute("data-trouble", trouble !== "");
  }

  /** @param {Event} event */
  async lookAtPath(event) {
    event.preventDefault();
    const path = find(this.part("[data-path]"), "input", HTMLInputElement).value.trim();
    try {
      await this.look({ path }, path);
    } catch (error) {
      this.fail(error);
      this.showPath();
    }
  }

  /**
   * Show what a source contains. Throws ApiError.
   * @param {Source} source
   * @param {string} title
   * @param {string} [format]
   */
  async look(source, title, format = "auto") {
    this.enter("looking");
    this.part("[data-sending-title]").textContent = title;
    this.part("[data-sending-words]").textContent = "Reading the contents";
    const survey = await postJson("/data/imports/survey", { ...source, format });
    this.enter("mapping");
    const found = { survey, title, refused: this.refused, formats: this.formats, format };
    new Mapping(this.part("[data-mapping]"), found, {
      begin: (body) => this.begin({ ...source, ...body, format: survey.format }),
      discard: () => this.discard(source),
      format: (name) => this.lookAgain(source, title, name, format),
    });
  }

  /**
   * Read the source in another format; if that fails, return to the previous format and show the reason.
   * @param {Source} source
   * @param {string} title
   * @param {string} format
   * @param {string} before
   */
  async lookAgain(source, title, format, before) {
    try {
      await this.look(source, title, format);
    } catch (error) {
      await this.look(source, title, before).catch(() => this.enter("idle"));
      this.sayProblem(error);
    }
  }

  /** @param {unknown} error */
  sayProblem(error) {
    const problem = this.part("[data-problem]");
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  }

  /** @param {Record<string, unknown>} body */
  async begin(body) {
    try {
      await postJson("/data/imports", body);
      this.refused = [];
      this.enter("idle");
      announce("synthaug:poll");
    } catch (error) {
      this.sayProblem(error);
    }
  }

  /** @param {Source} source */
  async discard({ upload }) {
    this.refused = [];
    this.enter("idle");
    if (upload) await postJson(`/data/uploads/${upload}/discard`).catch((error) => this.fail(error));
  }

  /** After a reload: show the mapping of an upload that is complete, or offer to continue one that is not. */
  async findWaiting() {
    try {
      /** @type {{ uploads: Waiting[] }} */
      const { uploads } = await getJson("/data/uploads");
      const last = uploads.at(-1);
      if (!last || this.state !== "idle") return;
      if (last.complete) await this.look({ upload: last.id }, last.title);
      else if (last.files) this.offer(last);
    } catch (error) {
      if (!(error instanceof ApiError) || ![0, 403].includes(error.status)) this.fail(error);
    }
  }

  /** @param {Waiting} upload */
  offer(upload) {
    this.half = upload;
    const words = `An upload was interrupted: ${size(upload.bytes)} of ${upload.title} have arrived. Choose the same files again to continue.`;
    const line = this.part("[data-waiting]");
    const drop = makeButton("sa-button small", "Discard", () => {
      this.half = null;
      line.hidden = true;
      this.discard({ upload: upload.id });
    });
    line.replaceChildren(make("span", "", words), drop);
    line.hidden = false;
  }
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element, props }) {
  new Importing(find(element, ".im", HTMLElement), props.formats);
}
