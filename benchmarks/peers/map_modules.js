// The modules of map_points.py, one after each "////" line: what the pages share, and one a renderer.
//// lasso
import { frame } from "./shared.js";
let released = 0;
for (const kind of ["pointerup", "mouseup"]) {
  window.addEventListener(kind, () => { released ||= performance.now(); }, true);
}
window.addEventListener("pointerdown", () => { released = 0; }, true);
export async function selected(count) {
  await frame();
  await frame();
  window.lassoed = { ms: performance.now() - released, count };
}
export async function painted(draw) {
  const began = performance.now();
  await draw();
  await frame();
  await frame();
  return performance.now() - began;
}
export const COLOURS = ["#2b6cb0", "#c2560c", "#187840", "#b3261e", "#6b4fa0", "#7a5230", "#b03a7a", "#555555",
  "#8a8a00", "#00808a"];
//// ours
import { Camera } from "./app/components/scatter/camera.js";
import { PlotModel } from "./app/components/scatter/model.js";
import { Painter } from "./app/components/scatter/painter.js";
import { Pointer } from "./app/components/scatter/pointer.js";
import { painted, selected } from "./lasso.js";
import { clusters } from "./shared.js";
export const run = (n) => {
  const { x, y, kind } = clusters(n);
  const [points, overlay] = ["points", "overlay"].map((id) => document.getElementById(id));
  const pca = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) pca.set([x[i], y[i]], 2 * i);
  const empty = { predicted: kind, state: new Uint8Array(n), label: kind, prompted: kind, origin: new Uint8Array(n) };
  const columns = { ids: new Uint32Array(n), pca, umap: pca, ...empty };
  const header = { n, classes: Array.from({ length: 10 }, (_, i) => String(i)) };
  const camera = new Camera();
  const painter = new Painter(document.documentElement, points, overlay, camera);
  let model;
  const nothing = () => {};
  new Pointer(overlay, {
    ready: () => true, grabbed: () => false, dragged: nothing, hovered: nothing, panStarted: nothing, panned: nothing,
    drawn: nothing, zoomed: () => false,
    enclosed(loop) {
      const polygon = Float64Array.from(loop.flatMap(([px, py]) => camera.toWorld(px, py)));
      const all = model.select(model.enclosed(polygon), false);
      painter.paint(model, model.xy, -1);
      selected(all.length);
    },
  });
  return painted(() => {
    model = new PlotModel({ header, columns }, "class", "pca");
    camera.resize(800, 500, model.box);
    painter.resize();
    painter.restyle(model);
    painter.paint(model, model.xy, -1);
  });
};
//// regl
import createScatterplot from "regl-scatterplot";
import { COLOURS, painted, selected } from "./lasso.js";
import { clusters } from "./shared.js";
export const run = (n) => {
  const { x, y, kind } = clusters(n);
  const canvas = document.getElementById("points");
  document.getElementById("overlay").remove();
  const plot = createScatterplot({ canvas, width: 800, height: 500, pointSize: 2, opacity: 0.45, colorBy: "valueA",
    pointColor: COLOURS, mouseMode: "lasso" });
  plot.subscribe("select", ({ points }) => selected(points.length));
  return painted(() => plot.draw({ x, y, z: kind }));
};
//// plotly
import Plotly from "plotly.js-dist-min";
import { COLOURS, painted, selected } from "./lasso.js";
import { clusters } from "./shared.js";
export const run = (n) => {
  const { x, y, kind } = clusters(n);
  for (const id of ["points", "overlay"]) document.getElementById(id).remove();
  const place = document.body.appendChild(document.createElement("div"));
  const marker = { color: kind, colorscale: COLOURS.map((each, i) => [i / 9, each]), size: 2, opacity: 0.45 };
  const layout = { width: 800, height: 500, dragmode: "lasso", margin: { l: 0, r: 0, t: 0, b: 0 } };
  return painted(async () => {
    await Plotly.newPlot(place, [{ type: "scattergl", mode: "markers", x, y, marker }], layout, { displayModeBar: false });
    place.on("plotly_selected", (event) => selected(event.points.length));
  });
};
