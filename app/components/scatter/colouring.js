// @ts-check
// Colouring by a mode or by a facet, whose values may have to be asked for first.

import { BY_FACET, MODES } from "./modes.js";

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
