"use strict";

// Draws the figures in the page's colours, and again when those change; opens the run that a link leads to.
(() => {
  const places = [...document.querySelectorAll(".figure")];
  const config = { displaylogo: false, responsive: true, modeBarButtons: [["toImage"]] };

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  /** Sets "font.color" and the like inside an object. */
  function put(object, path, value) {
    const names = path.split(".");
    const last = names.pop();
    names.reduce((inner, name) => (inner[name] ??= {}), object)[last] = value;
  }

  /** Gives a figure what the theme decides. */
  function dress({ data, layout }) {
    put(layout, "font.color", color("ink"));
    put(layout, "font.family", color("sans"));
    put(layout, "hoverlabel.bgcolor", color("surface"));
    put(layout, "hoverlabel.bordercolor", color("strong"));
    put(layout, "hoverlabel.font.color", color("ink"));
    put(layout, "modebar.color", color("muted"));
    put(layout, "modebar.activecolor", color("ink"));
    put(layout, "modebar.bgcolor", "rgba(0,0,0,0)");
    put(layout, "paper_bgcolor", "rgba(0,0,0,0)");
    put(layout, "plot_bgcolor", "rgba(0,0,0,0)");
    const axes = Object.keys(layout).filter((each) => /^[xy]axis\d+$/.test(each));
    for (const key of ["xaxis", "yaxis", ...axes]) {
      put(layout, `${key}.gridcolor`, color("line"));
      put(layout, `${key}.linecolor`, color("strong"));
      put(layout, `${key}.zerolinecolor`, color("strong"));
      put(layout, `${key}.tickfont.color`, color("muted"));
      put(layout, `${key}.title.font.color`, color("muted"));
    }
    for (const trace of data.filter((each) => each.texttemplate)) put(trace, "textfont.color", color("ink"));
  }

  async function draw(place) {
    const figure = JSON.parse(place.querySelector("script").textContent);
    dress(figure);
    await Plotly.newPlot(place, figure.data, figure.layout, config);
  }

  function redraw(width) {
    for (const place of places.filter((each) => each.layout)) {
      dress(place);
      Object.assign(place.layout, { width, autosize: !width });
      Plotly.react(place, place.data, place.layout, config);
    }
  }

  if (places.length) {
    (async () => { for (const place of places) await draw(place); })();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
    addEventListener("beforeprint", () => {
      document.documentElement.classList.add("print");
      redraw(680);
    });
    addEventListener("afterprint", () => {
      document.documentElement.classList.remove("print");
      redraw();
    });
  }

  function open() {
    document.querySelectorAll(".run.reached").forEach((run) => run.classList.remove("reached"));
    const reached = document.getElementById(location.hash.slice(1));
    if (!reached || !reached.classList.contains("run")) return;
    reached.open = true;
    reached.classList.add("reached");
    reached.scrollIntoView();
  }
  addEventListener("hashchange", open);
  open();
})();
