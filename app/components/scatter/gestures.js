// @ts-check
// What the pointer does to the plot: it hovers, pans, zooms, drags a threshold, and draws a loop.

import { Pointer } from "./pointer.js";

/** @param {import("./scatter.js").Scatter} scatter */
export function pointerOf(scatter) {
  const { camera, stage } = scatter;
  let start = camera.view;
  return new Pointer(scatter.surface, {
    ready: () => scatter.model !== null && !scatter.moving,
    hovered: (place) => {
      const line = place && scatter.lineAt(place);
      stage.dataset.over = line ?? "";
      scatter.hover(place && !line ? scatter.pointAt(place) : -1);
    },
    grabbed: (place) => {
      scatter.held = scatter.lineAt(place);
      return scatter.held !== null;
    },
    dragged: (place) => {
      if (scatter.held && place) scatter.plane.drag(scatter.held, place);
      else scatter.plane.listeners.moved(true);
    },
    panStarted: () => {
      start = { ...camera.view };
    },
    panned: (dx, dy) => {
      camera.view = { x: start.x - dx / start.k, y: start.y + dy / start.k, k: start.k };
      scatter.drawMoving();
    },
    drawn: () => scatter.paintOverlay(),
    enclosed: (loop, add) => scatter.enclose(loop, add),
    zoomed: (factor, place) => {
      if (factor < 1 && camera.widest) return false;
      scatter.zoom(factor, place);
      return true;
    },
  });
}
