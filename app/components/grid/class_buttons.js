// @ts-check
// The buttons that label the marked images: one a class, or one choice where the classes are many.

import { make, makeButton } from "../../static/lib/dom.js";

const MOST_BUTTONS = 12;
const CLASS_COLOURS = 10;

/** @param {string[]} names of the classes @returns {HTMLElement[]} */
export function classControls(names) {
  return names.length > MOST_BUTTONS ? classChoice(names) : names.map(classButton);
}

/**
 * @param {string} name
 * @param {number} index
 */
function classButton(name, index) {
  const button = makeButton("sa-grid-class");
  const swatch = make("i", "sa-dot");
  swatch.style.background = `var(--sa-class-${index % CLASS_COLOURS})`;
  button.dataset.class = String(index);
  button.title = `Label the marked images as "${name}"`;
  button.append(swatch, make("span", "", name));
  return button;
}

/** @param {string[]} names */
function classChoice(names) {
  const choice = make("select", "sa-select", ...names.map((name, index) => new Option(name, String(index))));
  const apply = makeButton("sa-button small", "Apply");
  apply.dataset.class = "0";
  choice.addEventListener("change", () => {
    apply.dataset.class = choice.value;
  });
  return [choice, apply];
}
