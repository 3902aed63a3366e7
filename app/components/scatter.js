// The body of a gr.HTML js_on_load; `element` is the component's root, `props.value` the number of
// images in the workspace.
//
// Events on document, the only link to the other components of the page:
//   out  synthaug:selected {rows, columns, header}   rows index the columns, in drawing order
//   in   synthaug:labeled  {rows}                    label or state of these rows changed in place
//   in   synthaug:peek     {row | null}              ring this point
//   in   synthaug:jobs                               the shell's poll; a finished scoring is fetched
(() => {
  const root = element.querySelector(".sa-scatter");
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const base = $("points"), over = $("overlay"), stage = $("stage"), tip = $("tip");
  const ctx = base.getContext("2d"), top2d = over.getContext("2d");
  const NONE = 255, RAMP = 24, HIT = 12, MIN_STEP = 2, RESCORES = ["score", "predict"];
  const ORIGINS = ["real, training", "real, test", "synthetic"];
  const STATES = ["not reviewed", "labeled", "rejected", "unsure"];
  const MODES = {
    origin: { title: "Origin" },
    class: { title: "Class (label, else prompted)" },
    predicted: { title: "Prediction" },
    agree: { title: "Prediction against class" },
    state: { title: "Review" },
    confidence: { title: "Confidence of the prediction", scale: "confidence" },
    ood_real: { title: "Distance from real images", scale: "ood_real" },
    ood_synthetic: { title: "Distance from other synthetic images", scale: "ood_synthetic" },
  };

  let header = null, columns = null, n = 0;
  let mode = "origin", projection = "pca", tool = "lasso", range = null;
  let boxes = {}, at = null, grid = null, order = null;
  let category = null, visible = null, selected = null, selectedCount = 0;
  let originOn = [true, true, true], categoryOn = new Uint8Array(256).fill(1), spotlight = -1;
  let view = { x: 0, y: 0, k: 1 }, fitK = 1, width = 0, height = 0, dpr = 1, sprites = new Map();
  let colours = [];
  let hovered = -1, peeked = -1, path = null, drag = null, frame = 0, animation = null;
  const items = new Map();

  // ---------------------------------------------------------------- data
  async function load() {
    root.dataset.state = "loading";
    try {
      const early = window.synthaugPoints; // asked for by the page's head
      window.synthaugPoints = null;
      const response = await (early ?? fetch("/data/points", { cache: "no-store" }));
      if (!response.ok) {
        const body = await response.json().catch(() => ({}));
        return showEmpty(body.error || `The server answered ${response.status}.`);
      }
      decode(await response.arrayBuffer());
    } catch (error) {
      return showEmpty(`The points could not be fetched: ${error.message}`);
    }
    if (!n) return showEmpty("There are no images yet. Import or generate some, then compute features.");
    root.dataset.state = "ready";
    boxes = { pca: normalise(columns.pca), umap: normalise(columns.umap) };
    items.clear();
    selected = new Uint8Array(n);
    visible = new Uint8Array(n);
    category = new Uint8Array(n);
    resize();
    place(projection);
    fit();
    recolour();
    select([]);
    drawFacts();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      root.dataset.painted = String(n);
      performance.mark("synthaug:points-painted");
    }));
  }

  function decode(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const start = Math.ceil((4 + length) / 8) * 8;
    const types = { uint32: Uint32Array, float32: Float32Array, uint8: Uint8Array };
    n = header.n;
    columns = {};
    for (const { name, dtype, shape, offset } of header.columns) {
      columns[name] = new types[dtype](buffer, start + offset, shape.reduce((a, b) => a * b, 1));
    }
  }

  // Which features these are, and how many images came after them; the component's value counts all images.
  function drawFacts() {
    if (!n) return;
    const late = Number(props.value) - n, facts = $("facts");
    facts.replaceChildren(`Features of ${header.model}, ${header.scored_at.slice(0, 16).replace("T", " ")}`);
    if (late > 0) facts.append(make("b", "", `${late.toLocaleString("en")} newer ${late === 1 ? "image is" : "images are"} not in the plot`));
  }

  function showEmpty(message) {
    root.dataset.state = "empty";
    $("reason").textContent = message;
    n = 0;
    columns = null;
    document.dispatchEvent(new CustomEvent("synthaug:selected", { detail: { rows: [], columns: null, header: null } }));
  }

  // Coordinates scaled to a unit box around 0, the same scale on both axes; NaN stays NaN and is never drawn.
  function normalise(raw) {
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
    for (let i = 0; i < raw.length; i += 2) {
      const x = raw[i], y = raw[i + 1];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    const span = Math.max(x1 - x0, y1 - y0) || 1, out = new Float32Array(raw.length);
    const cx = (x0 + x1) / 2, cy = (y0 + y1) / 2;
    for (let i = 0; i < raw.length; i += 2) {
      out[i] = (raw[i] - cx) / span;
      out[i + 1] = (raw[i + 1] - cy) / span;
    }
    return { xy: out, w: (x1 - x0) / span || 1, h: (y1 - y0) / span || 1 };
  }

  function place(name) {
    projection = name;
    at = boxes[name].xy;
    grid = buildGrid(at);
  }

  // A uniform grid in compressed rows: cell -> points, for the nearest point under the pointer.
  function buildGrid(xy) {
    const side = Math.max(1, Math.min(256, Math.round(Math.sqrt(n / 2))));
    const cell = new Int32Array(n), starts = new Uint32Array(side * side + 1);
    const clamp = (v) => Math.max(0, Math.min(side - 1, Math.floor((v + 0.5) * side)));
    for (let i = 0; i < n; i++) {
      cell[i] = xy[2 * i] === xy[2 * i] ? clamp(xy[2 * i + 1]) * side + clamp(xy[2 * i]) : -1;
      if (cell[i] >= 0) starts[cell[i] + 1]++;
    }
    for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
    const fill = starts.slice(), rows = new Uint32Array(n);
    for (let i = 0; i < n; i++) if (cell[i] >= 0) rows[fill[cell[i]]++] = i;
    return { side, starts, rows, clamp };
  }

  // ---------------------------------------------------------------- colour and filters
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const classOf = (i) => (columns.label[i] !== NONE ? columns.label[i] : columns.prompted[i]);

  function categories() {
    const named = header.classes.map((name, index) => ({ key: index, name, colour: token(`--sa-class-${index % 10}`) }));
    const none = (name) => ({ key: NONE, name, colour: token("--sa-muted") });
    if (mode === "origin") {
      const colours = ["--sa-real", "--sa-real", "--sa-synthetic"];
      return ORIGINS.map((name, key) => ({ key, name, colour: token(colours[key]) }));
    }
    if (mode === "class") return [...named, none("no class yet")];
    if (mode === "predicted") return [...named, none("not predicted")];
    if (mode === "state") {
      const colours = ["--sa-muted", "--sa-good", "--sa-bad", "--sa-warn"];
      return STATES.map((name, key) => ({ key, name, colour: token(colours[key]) }));
    }
    return [
      { key: 1, name: "agrees", colour: token("--sa-good") },
      { key: 0, name: "disagrees", colour: token("--sa-bad") },
      none("nothing to compare"),
    ];
  }

  function categorise() {
    const scale = MODES[mode].scale;
    if (scale) {
      const values = columns[scale], { low, high } = extent(values);
      for (let i = 0; i < n; i++) {
        const v = values[i];
        category[i] = v === v ? Math.max(0, Math.min(RAMP - 1, Math.floor(((v - low) / (high - low)) * RAMP))) : NONE;
      }
    } else {
      for (let i = 0; i < n; i++) category[i] = categoryOf(i);
    }
  }

  function categoryOf(i) {
    if (mode === "origin") return columns.origin[i];
    if (mode === "class") return classOf(i);
    if (mode === "predicted") return columns.predicted[i];
    if (mode === "state") return columns.state[i];
    const truth = classOf(i), guess = columns.predicted[i];
    return truth === NONE || guess === NONE ? NONE : Number(truth === guess);
  }

  // The 1st and 99th percentile, so that one far outlier does not flatten the colour of all others.
  function extent(values) {
    const finite = values.filter((v) => v === v).sort();
    if (!finite.length) return { low: 0, high: 1, min: 0, max: 1 };
    const q = (p) => finite[Math.round(p * (finite.length - 1))];
    const low = q(0.01), high = q(0.99);
    return { low, high: high > low ? high : low + 1e-6, min: finite[0], max: finite[finite.length - 1] };
  }

  function rampColour(t) {
    const stops = [0, 1, 2, 3, 4].map((i) => token(`--sa-ramp-${i}`));
    const place = t * 4, i = Math.min(3, Math.floor(place)), f = place - i;
    const [a, b] = [stops[i], stops[i + 1]].map((hex) => [1, 3, 5].map((p) => parseInt(hex.slice(p, p + 2), 16)));
    return `rgb(${a.map((v, c) => Math.round(v + (b[c] - v) * f)).join(",")})`;
  }

  function recolour() {
    categorise();
    sortForDrawing();
    restyle();
  }

  function restyle() {
    sprites.clear();
    colours = colourTable();
    filter();
  }

  // Synthetic over real; on a continuous scale the far ones over the near ones.
  function sortForDrawing() {
    order = new Uint32Array(n);
    const rank = MODES[mode].scale ? (i) => columns.origin[i] * 256 + (category[i] === NONE ? 0 : category[i] + 1)
                                   : (i) => columns.origin[i] * 256;
    const counts = new Uint32Array(3 * 256 + 1);
    for (let i = 0; i < n; i++) counts[rank(i) + 1]++;
    for (let c = 0; c < counts.length - 1; c++) counts[c + 1] += counts[c];
    for (let i = 0; i < n; i++) order[counts[rank(i)]++] = i;
  }

  function filter() {
    const scale = MODES[mode].scale && columns[MODES[mode].scale];
    let shown = 0;
    for (let i = 0; i < n; i++) {
      let on = originOn[columns.origin[i]];
      if (on && scale) on = !range || (scale[i] >= range[0] && scale[i] <= range[1]);
      else if (on) on = categoryOn[category[i]];
      visible[i] = on && at[2 * i] === at[2 * i] ? 1 : 0;
      shown += visible[i];
    }
    $("shown").textContent = `${shown.toLocaleString("en")} of ${n.toLocaleString("en")} shown`;
    drawLegend();
    draw();
  }

  // ---------------------------------------------------------------- drawing
  function resize() {
    const rect = stage.getBoundingClientRect(), before = Math.min(width, height);
    dpr = window.devicePixelRatio || 1;
    width = rect.width;
    height = rect.height;
    for (const canvas of [base, over]) {
      canvas.width = Math.max(1, Math.round(width * dpr));
      canvas.height = Math.max(1, Math.round(height * dpr));
    }
    sprites.clear();
    if (before && at) {
      const zoom = view.k / fitK;
      fitK = fitScale(boxes[projection]);
      view.k = fitK * zoom;
    }
  }

  const fitScale = (box) => 0.93 * Math.min(width / box.w, height / box.h);

  function fit() {
    fitK = fitScale(boxes[projection]);
    view = { x: 0, y: 0, k: fitK };
    draw();
  }

  const screenX = (i) => (at[2 * i] - view.x) * view.k + width / 2;
  const screenY = (i) => (view.y - at[2 * i + 1]) * view.k + height / 2;

  function radius() {
    const bySize = Math.max(1.7, Math.min(4.4, 7.2 - 1.1 * Math.log10(Math.max(n, 10))));
    return Math.round(Math.min(8, bySize * Math.pow(view.k / fitK, 0.3)) * 4) / 4;
  }

  function sprite(origin, key, size, strong) {
    const id = origin * 512 + key * 2 + (strong ? 1 : 0);
    let image = sprites.get(id);
    if (image && image.size === size) return image;
    const r = size * dpr * (strong ? 1.15 : 1), side = Math.ceil(r * 2 + 4 * dpr) | 1;
    image = document.createElement("canvas");
    image.width = image.height = side;
    image.size = size;
    const pen = image.getContext("2d"), c = side / 2;
    pen.fillStyle = pen.strokeStyle = colours[key];
    pen.beginPath();
    if (origin === 2) {
      const d = r * 1.3;
      pen.moveTo(c, c - d);
      pen.lineTo(c + d, c);
      pen.lineTo(c, c + d);
      pen.lineTo(c - d, c);
      pen.closePath();
      pen.fill();
      pen.lineWidth = 0.75 * dpr;
      pen.strokeStyle = token("--sa-surface");
      pen.stroke();
    } else if (origin === 1) {
      pen.lineWidth = Math.max(1, r * 0.42);
      pen.arc(c, c, r - pen.lineWidth / 2 + 0.3 * dpr, 0, 7);
      pen.stroke();
    } else {
      pen.arc(c, c, r * 0.92, 0, 7);
      pen.fill();
    }
    sprites.set(id, image);
    return image;
  }

  function colourTable() {
    const table = [];
    if (MODES[mode].scale) for (let b = 0; b < RAMP; b++) table[b] = rampColour(b / (RAMP - 1));
    else for (const { key, colour } of categories()) table[key] = colour;
    table[NONE] = token(MODES[mode].scale ? "--sa-line-strong" : "--sa-muted");
    return table;
  }

  function draw() {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; paint(); });
  }

  function paint() {
    if (!n || !width) return;
    const size = radius();
    const alpha = Math.max(0.45, Math.min(0.95, 1.15 - 0.15 * Math.log10(n)));
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, base.width, base.height);
    const kx = view.k * dpr, mx = (width / 2) * dpr - view.x * kx, my = (height / 2) * dpr + view.y * kx;
    const pass = (wanted, strong) => {
      for (let o = 0; o < n; o++) {
        const i = order[o];
        if (!visible[i] || !wanted(i)) continue;
        const x = at[2 * i] * kx + mx, y = my - at[2 * i + 1] * kx;
        if (x < -20 || y < -20 || x > base.width + 20 || y > base.height + 20) continue;
        const image = sprite(columns.origin[i], category[i], size, strong), half = image.width / 2;
        ctx.drawImage(image, Math.round(x - half), Math.round(y - half));
      }
    };
    const lit = selectedCount ? (i) => selected[i] : spotlight >= 0 ? (i) => category[i] === spotlight : null;
    if (lit) {
      ctx.globalAlpha = 0.13;
      pass((i) => !lit(i), false);
      ctx.globalAlpha = 1;
      pass(lit, true);
    } else {
      ctx.globalAlpha = alpha;
      pass(() => true, false);
    }
    ctx.globalAlpha = 1;
    paintOverlay();
  }

  function paintOverlay() {
    top2d.setTransform(dpr, 0, 0, dpr, 0, 0);
    top2d.clearRect(0, 0, width, height);
    if (path && path.length > 1) {
      top2d.beginPath();
      path.forEach(([x, y], i) => (i ? top2d.lineTo(x, y) : top2d.moveTo(x, y)));
      top2d.closePath();
      top2d.fillStyle = token("--sa-accent");
      top2d.globalAlpha = 0.1;
      top2d.fill();
      top2d.globalAlpha = 1;
      top2d.strokeStyle = token("--sa-accent");
      top2d.lineWidth = 1.5;
      top2d.setLineDash([5, 4]);
      top2d.stroke();
      top2d.setLineDash([]);
    }
    for (const i of [hovered, peeked]) {
      if (i < 0 || i >= n) continue;
      top2d.beginPath();
      top2d.arc(screenX(i), screenY(i), radius() + 5, 0, 7);
      top2d.strokeStyle = token("--sa-ink");
      top2d.lineWidth = 2;
      top2d.stroke();
    }
  }

  function switchTo(name) {
    if (name === projection || !n) return;
    const from = at, to = boxes[name], k0 = view.k, x0 = view.x, y0 = view.y, k1 = fitScale(to);
    const still = n > 40000 || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const began = performance.now(), moving = new Float32Array(from.length);
    place(name);
    fitK = k1;
    hover(-1);
    cancelAnimationFrame(animation);
    const finish = () => { at = to.xy; animation = null; view = { x: 0, y: 0, k: k1 }; filter(); root.dataset.projection = name; };
    if (still) return finish();
    const step = (now) => {
      const t = Math.min(1, (now - began) / 420), e = 1 - Math.pow(1 - t, 3);
      if (t >= 1) return finish();
      for (let i = 0; i < moving.length; i++) moving[i] = from[i] + (to.xy[i] - from[i]) * e;
      at = moving;
      view = { x: x0 * (1 - e), y: y0 * (1 - e), k: k0 + (k1 - k0) * e };
      paint();
      animation = requestAnimationFrame(step);
    };
    animation = requestAnimationFrame(step);
  }

  // ---------------------------------------------------------------- legend
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  function drawLegend() {
    const shapes = $("origins"), list = $("legend"), scale = MODES[mode].scale;
    const perOrigin = [0, 0, 0], perCategory = new Uint32Array(256);
    for (let i = 0; i < n; i++) {
      perOrigin[columns.origin[i]]++;
      if (originOn[columns.origin[i]]) perCategory[category[i]]++;
    }
    shapes.replaceChildren(...ORIGINS.map((name, key) => {
      const colour = mode === "origin" ? token(key === 2 ? "--sa-synthetic" : "--sa-real") : token("--sa-ink");
      return entry(name, perOrigin[key], key, colour, originOn[key], () => { originOn[key] = !originOn[key]; filter(); });
    }));
    list.hidden = mode === "origin";
    $("legend-title").hidden = mode === "origin";
    $("legend-title").textContent = MODES[mode].title;
    if (scale) return list.replaceChildren(histogram(scale));
    list.replaceChildren(...(mode === "origin" ? [] : categories().filter(({ key }) => key !== NONE || perCategory[NONE])
      .map(({ key, name, colour }) => {
        const node = entry(name, perCategory[key], -1, colour, categoryOn[key], (event) => {
          if (event.altKey || event.detail === 2) categoryOn.fill(0)[key] = 1;
          else categoryOn[key] ^= 1;
          if (!categories().some((each) => categoryOn[each.key])) categoryOn.fill(1);
          spotlight = -1;
          filter();
        });
        node.addEventListener("pointerenter", () => { spotlight = key; draw(); });
        node.addEventListener("pointerleave", () => { spotlight = -1; draw(); });
        return node;
      })));
  }

  function entry(name, count, shape, colour, on, toggle) {
    const node = make("button", "sa-scatter-key");
    node.type = "button";
    node.dataset.shape = shape;
    node.setAttribute("aria-pressed", String(Boolean(on)));
    node.title = on ? `Hide "${name}"` : `Show "${name}"`;
    const swatch = make("i", "sa-scatter-swatch");
    swatch.style.setProperty("--swatch", colour);
    node.append(swatch, make("span", "sa-scatter-name", name), make("span", "sa-scatter-count", count.toLocaleString("en")));
    node.addEventListener("click", toggle);
    return node;
  }

  // Counts over a continuous scale; dragging over the bars keeps only that range.
  function histogram(name) {
    const values = columns[name], { low, high, min, max } = extent(values), box = make("div", "sa-scatter-scale");
    const counts = new Uint32Array(RAMP);
    let missing = 0;
    for (let i = 0; i < n; i++) {
      if (!originOn[columns.origin[i]]) continue;
      if (category[i] === NONE) missing++;
      else counts[category[i]]++;
    }
    const most = Math.max(1, ...counts), bars = make("div", "sa-scatter-bars"), edge = (b) => low + ((high - low) * b) / RAMP;
    const bounds = (a, b) => [a === 0 ? min : edge(a), b === RAMP - 1 ? max : edge(b + 1)];
    bars.title = "Drag over the bars to keep a range";
    counts.forEach((count, b) => {
      const bar = make("i");
      bar.style.height = `${count ? 4 + 40 * Math.sqrt(count / most) : 1}px`;
      bar.style.background = colours[b];
      const [from, to] = bounds(b, b);
      bar.classList.toggle("off", Boolean(range) && (to <= range[0] || from >= range[1]));
      bars.append(bar);
    });
    const binAt = (event) => {
      const rect = bars.getBoundingClientRect();
      return Math.max(0, Math.min(RAMP - 1, Math.floor(((event.clientX - rect.left) / rect.width) * RAMP)));
    };
    bars.addEventListener("pointerdown", (down) => {
      const first = binAt(down);
      const end = (up) => {
        const last = binAt(up);
        range = bounds(Math.min(first, last), Math.max(first, last));
        filter();
      };
      window.addEventListener("pointerup", end, { once: true });
    });
    const show = (v) => (Math.abs(v) >= 100 ? v.toFixed(0) : v.toPrecision(2));
    const ends = make("div", "sa-scatter-ends");
    ends.append(make("span", "", `${show(low)} near`), make("span", "", `far ${show(high)}`));
    if (name === "confidence") ends.replaceChildren(make("span", "", show(low)), make("span", "", show(high)));
    box.append(bars, ends);
    if (missing) box.append(make("p", "sa-scatter-note", `${missing.toLocaleString("en")} without a value are grey`));
    if (range) {
      const all = make("button", "sa-scatter-link", "Show the whole range");
      all.type = "button";
      all.addEventListener("click", () => { range = null; filter(); });
      box.append(all);
    }
    return box;
  }

  // ---------------------------------------------------------------- selection
  function inside(x, y, polygon) {
    let odd = false;
    for (let a = 0, b = polygon.length - 2; a < polygon.length; b = a, a += 2) {
      const ya = polygon[a + 1], yb = polygon[b + 1];
      if (ya > y !== yb > y && x < ((polygon[b] - polygon[a]) * (y - ya)) / (yb - ya) + polygon[a]) odd = !odd;
    }
    return odd;
  }

  function enclosed(screen) {
    const polygon = new Float64Array(screen.length * 2);
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
    screen.forEach(([sx, sy], p) => {
      const x = (sx - width / 2) / view.k + view.x, y = view.y - (sy - height / 2) / view.k;
      polygon[2 * p] = x;
      polygon[2 * p + 1] = y;
      x0 = Math.min(x0, x); x1 = Math.max(x1, x); y0 = Math.min(y0, y); y1 = Math.max(y1, y);
    });
    const rows = [];
    for (let i = 0; i < n; i++) {
      const x = at[2 * i], y = at[2 * i + 1];
      if (visible[i] && x >= x0 && x <= x1 && y >= y0 && y <= y1 && inside(x, y, polygon)) rows.push(i);
    }
    return rows;
  }

  function select(rows, add = false) {
    if (!add) selected.fill(0);
    for (const i of rows) selected[i] = 1;
    const all = [];
    for (let i = 0; i < n; i++) if (selected[i]) all.push(i);
    selectedCount = all.length;
    root.dataset.selected = String(selectedCount);
    $("selected").textContent = selectedCount ? `${selectedCount.toLocaleString("en")} selected` : "";
    $("clear").hidden = !selectedCount;
    document.dispatchEvent(new CustomEvent("synthaug:selected", { detail: { rows: all, columns, header } }));
    draw();
  }

  // ---------------------------------------------------------------- pointer
  const local = (event) => {
    const rect = over.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };

  function nearest(px, py) {
    const x = (px - width / 2) / view.k + view.x, y = view.y - (py - height / 2) / view.k, reach = HIT / view.k;
    let best = -1, least = reach * reach;
    for (let row = grid.clamp(y - reach); row <= grid.clamp(y + reach); row++) {
      for (let col = grid.clamp(x - reach); col <= grid.clamp(x + reach); col++) {
        const cell = row * grid.side + col;
        for (let p = grid.starts[cell]; p < grid.starts[cell + 1]; p++) {
          const i = grid.rows[p], dx = at[2 * i] - x, dy = at[2 * i + 1] - y, d = dx * dx + dy * dy;
          if (visible[i] && d < least) { least = d; best = i; }
        }
      }
    }
    return best;
  }

  function hover(i) {
    if (i === hovered) return;
    hovered = i;
    paintOverlay();
    if (i < 0) { tip.hidden = true; return; }
    describe(i, items.get(columns.ids[i]));
    if (!items.has(columns.ids[i])) setTimeout(() => { if (hovered === i) fetchItem(i); }, 40);
  }

  async function fetchItem(i) {
    const id = columns.ids[i];
    const response = await fetch(`/data/items?ids=${id}`).catch(() => null);
    const item = response && response.ok ? (await response.json()).items[0] : null;
    if (!item) return;
    if (items.size > 4000) items.clear();
    items.set(id, item);
    if (hovered === i) describe(i, item);
  }

  function describe(i, item) {
    const name = (k) => (k === NONE ? null : header.classes[k]), facts = make("dl");
    const fact = (term, value) => { if (value) facts.append(make("dt", "", term), make("dd", "", value)); };
    const picture = make("div", "sa-scatter-thumb");
    if (item) {
      const image = make("img");
      image.alt = "";
      image.src = item.width <= 64 ? `/media/${item.sha256}.png` : `/media/${item.sha256}.webp?size=128`;
      picture.append(image);
    }
    fact("prompt", item && item.prompt);
    fact("prompted", name(columns.prompted[i]));
    const guess = name(columns.predicted[i]), sure = columns.confidence[i];
    fact("prediction", guess && (sure === sure ? `${guess}, ${Math.round(sure * 100)}%` : guess));
    fact("label", columns.state[i] === 1 ? name(columns.label[i]) : STATES[columns.state[i]]);
    const far = (v) => (v === v ? v.toPrecision(2) : null);
    fact("from real", far(columns.ood_real[i]));
    fact("from synthetic", far(columns.ood_synthetic[i]));
    tip.replaceChildren(picture, make("strong", "", ORIGINS[columns.origin[i]]), facts);
    tip.hidden = false;
    const x = screenX(i), y = screenY(i), w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = `${x + 16 + w < width ? x + 16 : Math.max(4, x - w - 16)}px`;
    tip.style.top = `${Math.max(4, Math.min(height - h - 4, y - h / 2))}px`;
  }

  over.addEventListener("pointerdown", (event) => {
    if (!n || animation) return;
    const [x, y] = local(event);
    const pan = event.button === 1 || (event.button === 0 && tool === "move");
    if (!pan && event.button !== 0) return;
    event.preventDefault();
    over.setPointerCapture(event.pointerId);
    hover(-1);
    const kind = pan ? "pan" : tool === "box" || event.shiftKey ? "box" : "lasso";
    drag = { kind, x, y, view: { ...view }, add: event.ctrlKey || event.metaKey };
    path = kind === "pan" ? null : [[x, y]];
  });

  over.addEventListener("pointermove", (event) => {
    if (!n) return;
    const [x, y] = local(event);
    if (!drag) { if (!animation) hover(nearest(x, y)); return; }
    if (drag.kind === "pan") {
      view.x = drag.view.x - (x - drag.x) / view.k;
      view.y = drag.view.y + (y - drag.y) / view.k;
      return draw();
    }
    if (drag.kind === "box") path = [[drag.x, drag.y], [x, drag.y], [x, y], [drag.x, y]];
    else follow(event);
    paintOverlay();
  });

  // Every place the pointer was, also those that the browser merged into one event a frame.
  function follow(event) {
    const merged = event.getCoalescedEvents();
    for (const each of merged.length ? merged : [event]) {
      const [x, y] = local(each), [lx, ly] = path[path.length - 1];
      if (Math.hypot(x - lx, y - ly) >= MIN_STEP) path.push([x, y]);
    }
  }

  function release(keep) {
    if (!drag) return;
    const { kind, add } = drag, loop = path;
    drag = null;
    path = null;
    paintOverlay();
    if (!keep || kind === "pan") return;
    performance.mark("synthaug:lasso-released");
    if (loop.length >= 3) select(enclosed(loop), add);
    else if (!add) select([]);
  }
  over.addEventListener("pointerup", () => release(true));
  over.addEventListener("pointercancel", () => release(false));
  over.addEventListener("pointerleave", () => { if (!drag) hover(-1); });

  function zoom(factor, px = width / 2, py = height / 2) {
    const k = Math.max(fitK * 0.8, Math.min(fitK * 200, view.k * factor));
    view.x += (px - width / 2) * (1 / view.k - 1 / k);
    view.y -= (py - height / 2) * (1 / view.k - 1 / k);
    view.k = k;
    hover(-1);
    draw();
  }
  over.addEventListener("wheel", (event) => {
    if (!n || (event.deltaY > 0 && view.k <= fitK * 0.81)) return; // fully zoomed out: the page scrolls on
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0016), ...local(event));
  }, { passive: false });

  // ---------------------------------------------------------------- controls
  function press(group, value) {
    for (const button of root.querySelectorAll(`[data-${group}]`)) {
      button.setAttribute("aria-pressed", String(button.dataset[group] === value));
    }
  }
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.to) { press("to", button.dataset.to); switchTo(button.dataset.to); }
    if (button.dataset.tool) { tool = button.dataset.tool; press("tool", tool); stage.dataset.tool = tool; }
    if (button.dataset.zoom && n) button.dataset.zoom === "0" ? fit() : zoom(Number(button.dataset.zoom));
    if (button.dataset.part === "clear") select([]);
    if (button.dataset.part === "everything") select(Array.from(visible.keys()).filter((i) => visible[i]));
  });
  $("mode").addEventListener("change", (event) => {
    mode = event.target.value;
    range = null;
    categoryOn.fill(1);
    if (n) recolour();
  });

  const listen = (name, handler) => document.addEventListener(name, (event) => { if (root.isConnected) handler(event); });
  listen("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !n) return;
    if (drag) release(false);
    else if (selectedCount) select([]);
  });
  listen("synthaug:labeled", () => { if (n) { categorise(); filter(); } });
  listen("synthaug:peek", ({ detail }) => { peeked = detail.row === null ? -1 : detail.row; paintOverlay(); });
  const working = new Set();
  listen("synthaug:jobs", ({ detail }) => {
    for (const job of detail) {
      if (!RESCORES.includes(job.kind)) continue;
      if (job.state === "queued" || job.state === "running") working.add(job.id);
      else if (working.delete(job.id) && job.state === "done") load();
    }
  });
  new ResizeObserver(() => { if (n) { resize(); paint(); } }).observe(stage); // at once: a resized canvas is blank
  new MutationObserver(() => { if (n) restyle(); })
    .observe(document.body, { attributes: true, attributeFilter: ["class"] });

  // For tests and the benchmark: where a point lies on the page, and what is selected.
  root.scatter = {
    locate: (id) => {
      const i = columns.ids.indexOf(id), rect = over.getBoundingClientRect();
      return [rect.left + screenX(i), rect.top + screenY(i)];
    },
    selectedIds: () => Array.from(columns.ids.filter((_, i) => selected[i])),
  };
  watch("value", drawFacts);
  load();
})();
