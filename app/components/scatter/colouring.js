// @ts-check
// Colouring by a mode or by a facet, whose values may have to be asked for first; and what changes in place.

import { announce } from "../../static/lib/dom.js";
import { BY_FACET, MODES } from "./modes.js";
import { NONE, STATE_OF, UNREVIEWED } from "./points.js";

/** @typedef {import("./scatter.js").Scatter} Scatter */

/** @param {Scatter} scatter @param {string} name one of MODES, or "facet:" and the name of a facet */
export async function colourBy(scatter, name) {
  const { model } = scatter;
  if (!model) return;
  const mode = Object.hasOwn(MODES, name) ? MODES[name] : await scatter.filters.modeOf(name);
  if (scatter.model !== model || !mode) return;
  model.colourBy(name, mode);
  scatter.controls.reflect();
  scatter.restyle();
}

/** Some images have other tags now: the facets are asked for again, where they are in use. @param {Scatter} scatter */
export async function retagged(scatter) {
  const { model, filters } = scatter;
  if (!model) return;
  await filters.refetch();
  if (model.modeName === `${BY_FACET}tag`) await colourBy(scatter, model.modeName);
  scatter.showFiltered(true);
}

/**
 * The label of one image is another one: say so in the columns.
 * @param {Scatter} scatter
 * @param {{ id: number, value: import("../../static/lib/types.js").LabelValue | null, class_index: number | null }} label
 */
export function relabel({ model }, { id, value, class_index }) {
  const [point] = model?.pointsOf([id]) ?? [];
  if (!model || point === undefined) return;
  model.columns.state[point] = value === null ? UNREVIEWED : STATE_OF[value];
  model.columns.label[point] = class_index ?? NONE;
  announce("synthaug:labeled");
}
