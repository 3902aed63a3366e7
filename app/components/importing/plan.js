// @ts-check
// The choice for each class of the source, and the request for the import that follows from the choices.

/** @typedef {{ name: string, images: number, proposal: "class" | "none" | "add", to: string | null, samples: string[] }} Group */
/**
 * What a source contains (`synthaug.reading.import_survey.Survey`).
 * @typedef {object} Survey
 * @property {number} key
 * @property {string} format
 * @property {number} images
 * @property {Group[]} groups
 * @property {boolean} numbered
 * @property {number} train
 * @property {number} test
 * @property {[string, string][]} refused
 * @property {[string, number][]} passed_over
 * @property {string[]} classes
 * @property {boolean} tests_here
 */
/** @typedef {{ group: Group, choice: string, added: string }} Row `choice`: "none", "add", "skip" or "class:NAME" */
/** @typedef {"given" | "train" | "test" | "hold"} SplitChoice */

const HELD_OUT = 0.2;
const FEWEST_TO_HOLD_OUT = 10;

/** @param {Survey} survey @returns {Row[]} */
export function rows({ groups }) {
  return groups.map((group) => ({
    group,
    choice: group.proposal === "class" ? `class:${group.to}` : group.proposal,
    added: group.name,
  }));
}

/**
 * The choices of a row, as [value, words].
 * @param {string[]} classes
 * @returns {[string, string][]}
 */
export function choices(classes) {
  return [
    ...classes.map((name) => /** @type {[string, string]} */ ([`class:${name}`, name])),
    ["none", "Import without a class"],
    ["add", "Add a class …"],
    ["skip", "Do not import"],
  ];
}

/** @param {Survey} survey @returns {[SplitChoice, string][]} */
export function splits(survey) {
  const given = survey.train + survey.test > 0;
  const hold = `Keep ${100 * HELD_OUT}% for testing`;
  return [
    ...(given
      ? [/** @type {[SplitChoice, string]} */ (["given", `As given: ${survey.train} train, ${survey.test} test`])]
      : []),
    ["hold", hold],
    ["train", "All for training"],
    ["test", "All for testing"],
  ];
}

/** The default split; a workspace without test images keeps some, since it could not measure anything. @param {Survey} survey @returns {SplitChoice} */
export function usualSplit(survey) {
  if (survey.train + survey.test > 0) return "given";
  return survey.tests_here || survey.images < FEWEST_TO_HOLD_OUT ? "train" : "hold";
}

/** The number of images to import. @param {Row[]} all */
export function wanted(all) {
  return all.reduce((sum, { group, choice }) => sum + (choice === "skip" ? 0 : group.images), 0);
}

/** What has to be corrected before the import can start; "" if nothing. @param {Row[]} all */
export function problem(all) {
  const nameless = all.find(({ choice, added }) => choice === "add" && !added.trim());
  if (nameless) return `Enter a name for the new class of “${called(nameless.group, false)}”.`;
  return wanted(all) ? "" : "There is nothing to import: no class is selected.";
}

/**
 * The name of a class of the source as it is shown.
 * @param {Group} group
 * @param {boolean} numbered
 */
export function called({ name }, numbered) {
  if (!name) return "without a class";
  return numbered ? `number ${name}` : name;
}

/**
 * The body of POST /data/imports, without the source.
 * @param {Row[]} all
 * @param {SplitChoice} split
 * @param {string} origin
 */
export function request(all, split, origin) {
  /** @type {Record<string, string | null>} */
  const classes = {};
  /** @type {string[]} */
  const skip = [];
  /** @type {string[]} */
  const add = [];
  for (const { group, choice, added } of all) {
    const name = added.trim();
    if (choice === "skip") skip.push(group.name);
    else if (choice === "none") {
      if (group.name) classes[group.name] = null;
    } else if (choice === "add") {
      if (!add.includes(name)) add.push(name);
      classes[group.name] = name;
    } else classes[group.name] = choice.slice("class:".length);
  }
  const assigned = split === "train" || split === "test" ? split : null;
  return { classes, skip, add, split: assigned, hold_out: split === "hold" ? HELD_OUT : 0, origin };
}
