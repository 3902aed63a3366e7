// @ts-check
// The slot values that generation leaves out: a button in each row, and the list above the table.

import { make, makeButton } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";

/** A value that is left out (`synthaug.store.retired.Retired`). @typedef {{ slot: string, value: string, person: string, created_at: string }} Retired */
/** @typedef {(slot: string, value: string, retired: boolean) => Promise<void>} Change */

/**
 * The record of a retired value; null if it is not retired. The case of the slot does not matter.
 * @param {Retired[]} list
 * @param {string} slot
 * @param {string} value
 */
export function findRetired(list, slot, value) {
  const name = slot.toLowerCase();
  return list.find((each) => each.slot.toLowerCase() === name && each.value === value) ?? null;
}

/** Retire or restore a value. Throws ApiError. @type {Change} */
export async function change(slot, value, retired) {
  await postSigned("/data/health/retired", { slot, value, retired });
}

/**
 * The cell at the end of a row, with the button.
 * @param {{ slot: string, value: string }} row
 * @param {Retired[]} list
 * @param {Change} act
 */
export function retireCell(row, list, act) {
  const out = findRetired(list, row.slot, row.value);
  const button = makeButton("sa-button small", out ? "Restore" : "Retire", () => act(row.slot, row.value, !out));
  button.title = out ? "Use this value in jobs again" : `Leave ${row.value} out of all jobs from now on`;
  button.setAttribute("aria-label", `${out ? "Restore" : "Retire"} ${row.value} of ${row.slot}`);
  const cell = make("td", "sa-health-retire sa-for-owner", button);
  if (out) cell.append(make("span", "", `by ${out.person}, ${out.created_at.slice(0, 10)}`));
  return cell;
}

/** "WHAT: clock, lamp; BREED: tabby"; "" for an empty list. @param {Retired[]} list */
export function retiredWords(list) {
  /** @type {Map<string, string[]>} */
  const bySlot = new Map();
  for (const { slot, value } of list) bySlot.set(slot, [...(bySlot.get(slot) ?? []), value]);
  return [...bySlot].map(([slot, values]) => `${slot}: ${values.sort().join(", ")}`).join("; ");
}
