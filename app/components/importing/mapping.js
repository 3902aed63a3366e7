// @ts-check
// The mapping step: one row per class of the source, with samples and the class that it is imported as.

import { make, makeButton } from "../../static/lib/dom.js";
import { count, number } from "../../static/lib/words.js";
import { called, choices, problem, request, rows, splits, usualSplit, wanted } from "./plan.js";

/** @typedef {import("./plan.js").Survey} Survey */
/** @typedef {import("./plan.js").Row} Row */

const FEW = 3; // up to this many rows, there is no choice for all rows together

/**
 * @param {[string, string][]} options
 * @param {string} value
 * @param {string} label
 * @param {(value: string) => void} then
 */
function select(options, value, label, then) {
  const node = make(
    "select",
    "sa-select",
    ...options.map(([each, words]) => new Option(words, each, false, each === value)),
  );
  node.ariaLabel = label;
  node.addEventListener("change", () => then(node.value));
  return node;
}

/**
 * A line that opens a table of files and reasons; null if there are none.
 * @param {string} words
 * @param {[string, string][]} files
 */
function fileList(words, files) {
  if (!files.length) return null;
  const lines = files.map(([path, reason]) => make("tr", "", make("td", "", path), make("td", "", reason)));
  return make(
    "details",
    "im-files",
    make("summary", "", words),
    make("table", "sa-table", make("tbody", "", ...lines)),
  );
}

export class Mapping {
  /**
   * @param {HTMLElement} root
   * @param {{ survey: Survey, title: string, refused: [string, string][], formats: string[], format: string }} found
   * @param {{ begin: (body: ReturnType<typeof request>) => void, discard: () => void, format: (name: string) => void }} then
   */
  constructor(root, found, then) {
    this.survey = found.survey;
    this.rows = rows(found.survey);
    this.split = usualSplit(found.survey);
    this.origin = "real";
    this.problem = make("span", "im-problem");
    this.problem.setAttribute("role", "status");
    this.start = makeButton("sa-button primary", "", () => then.begin(request(this.rows, this.split, this.origin)));
    this.body = make("tbody");
    root.replaceChildren(
      this.head(found),
      ...this.warnings(found.refused),
      make("div", "sa-table-holder im-groups", make("table", "sa-table", this.titles(), this.body)),
      this.settings(found, then.format),
      make("div", "im-line im-end", this.start, makeButton("sa-button", "Discard", then.discard), this.problem),
    );
    this.paint();
  }

  /** @param {{ title: string }} found */
  head({ title }) {
    const { images, groups, numbered } = this.survey;
    const kind = numbered ? "number" : this.survey.format === "folder" ? "folder" : "class";
    const kinds = groups.length === 1 ? kind : kind === "class" ? "classes" : `${kind}s`;
    const where = groups.length === 1 && !groups[0].name ? "" : ` in ${number(groups.length)} ${kinds}`;
    return make("h2", "", make("span", "im-title", title), ` ${count(images, "image")}${where}`);
  }

  /** @param {[string, string][]} unsent */
  warnings(unsent) {
    const { refused, passed_over } = this.survey;
    const others = passed_over.reduce((sum, [, files]) => sum + files, 0);
    const endings = passed_over.map(([ending, files]) => `${number(files)} ${ending}`).join(", ");
    return [
      fileList(`${count(unsent.length, "file")} could not be uploaded`, unsent),
      fileList(`${count(refused.length, "file")} will not be imported`, refused),
      others
        ? make("p", "sa-note", `${count(others, "file")} left out because they are not images (${endings}).`)
        : null,
    ].filter((each) => each !== null);
  }

  titles() {
    const all = this.rows.length > FEW ? this.forAll() : "Import as";
    const cells = ["Samples", "Found", all].map((each) => make("th", "", each));
    return make("thead", "", make("tr", "", ...cells));
  }

  forAll() {
    const options = [/** @type {[string, string]} */ (["", "Import all as …"]), ...choices(this.survey.classes)];
    const node = select(options, "", "Import all as", (value) => {
      if (value) for (const row of this.rows) row.choice = value;
      node.value = "";
      this.paint();
    });
    return node;
  }

  paint() {
    this.body.replaceChildren(...this.rows.map((row) => this.line(row)));
    this.check();
  }

  /** @param {Row} row */
  line(row) {
    const { group } = row;
    const name = called(group, this.survey.numbered);
    const added = make("input", "sa-input");
    added.value = row.added;
    added.maxLength = 200;
    added.ariaLabel = `Name of the new class of ${name}`;
    added.hidden = row.choice !== "add";
    added.addEventListener("input", () => {
      row.added = added.value;
      this.check();
    });
    const choice = select(choices(this.survey.classes), row.choice, `Import ${name} as`, (value) => {
      row.choice = value;
      added.hidden = value !== "add";
      if (!added.hidden) added.focus();
      line.dataset.choice = value;
      this.check();
    });
    const line = make(
      "tr",
      "",
      make("td", "im-samples", ...group.samples.map((path) => this.sample(path))),
      make(
        "td",
        "im-name",
        make("b", group.name ? "" : "im-none", name),
        make("span", "", count(group.images, "image")),
      ),
      make("td", "", make("div", "im-choice", choice, added)),
    );
    line.dataset.choice = row.choice;
    return line;
  }

  /** @param {string} path */
  sample(path) {
    const image = make("img");
    image.loading = "lazy";
    image.alt = "";
    image.title = path;
    image.src = `/data/imports/sample?${new URLSearchParams({ key: String(this.survey.key), entry: path })}`;
    image.addEventListener("error", () => image.replaceWith(this.unreadable(path)));
    return image;
  }

  /** @param {string} path */
  unreadable(path) {
    const mark = make("i", "im-unreadable", "?");
    mark.title = `${path} cannot be read`;
    return mark;
  }

  /**
   * @param {{ formats: string[], format: string }} found
   * @param {(name: string) => void} then
   */
  settings({ formats, format }, then) {
    const split = select(splits(this.survey), this.split, "Train or test", (value) => {
      this.split = /** @type {import("./plan.js").SplitChoice} */ (value);
    });
    /** @type {[string, string][]} */
    const origins = [
      ["real", "Real images"],
      ["synthetic", "Synthetic images"],
    ];
    const origin = select(origins, this.origin, "Real or synthetic", (value) => {
      this.origin = value;
    });
    /** @type {[string, string][]} */
    const kinds = [
      ["auto", `Detected: ${this.survey.format}`],
      ...formats.map((each) => /** @type {[string, string]} */ ([each, each])),
    ];
    const kind = select(kinds, format, "Format", then);
    return make(
      "div",
      "im-settings",
      make("label", "", "Split", split),
      make("label", "", "Origin", origin),
      make("label", "", "Format", kind),
    );
  }

  check() {
    const wrong = problem(this.rows);
    this.start.disabled = wrong !== "";
    this.start.textContent = `Import ${count(wanted(this.rows), "image")}`;
    this.problem.textContent = wrong;
  }
}
