// The body of a gr.HTML js_on_load; `element` is the component's root.
//
// Shows what the scatter selected and records labels in bulk. Events on document:
//   in   synthaug:selected {rows, columns, header}
//   out  synthaug:labeled  {rows}        label and state of these rows were changed in the columns
//   out  synthaug:peek     {row | null}  the row under the pointer
(() => {
  const root = element.querySelector(".sa-grid");
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const NONE = 255, TILE = 76, CAPTION = 24, GAP = 8, MARGIN = 2, PAGE = 200, TRIES = 3, UNDO_LANES = 4;
  const TEST = 1, SYNTHETIC = 2;
  const BADGES = ["", "✓", "✕", "?"];
  const scroller = $("scroller"), canvas = $("canvas"), status = $("status");

  let rows = [], order = [], columns = null, header = null;
  let marked = new Set(), anchor = -1, busy = false, batches = [], awaitingPaint = false;
  const items = new Map(), asked = new Set(), tiles = new Map();

  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
  const lockedRow = (row) => columns.origin[row] === TEST;

  // ---------------------------------------------------------------- the selection
  function receive(detail) {
    if (detail.header !== header) { header = detail.header; drawClasses(); }
    if (detail.columns !== columns) { columns = detail.columns; batches = []; items.clear(); asked.clear(); }
    rows = Array.from(detail.rows);
    const synthetic = rows.filter((row) => columns.origin[row] === SYNTHETIC);
    marked = new Set(synthetic.length ? synthetic : rows.filter((row) => !lockedRow(row)));
    anchor = -1;
    scroller.scrollTop = 0;
    root.dataset.state = rows.length ? "filled" : "empty";
    delete root.dataset.painted;
    awaitingPaint = rows.length > 0;
    summarise();
    sort();
  }

  function summarise() {
    const by = [0, 0, 0], guesses = new Map();
    for (const row of rows) {
      by[columns.origin[row]]++;
      const guess = columns.predicted[row];
      if (guess !== NONE) guesses.set(guess, (guesses.get(guess) || 0) + 1);
    }
    $("title").textContent = rows.length ? count(rows.length, "image") : "Selected images";
    const parts = [];
    if (by[2]) parts.push(`${by[2].toLocaleString("en")} synthetic`);
    if (by[0]) parts.push(`${by[0].toLocaleString("en")} real`);
    if (by[1]) parts.push(`${by[1].toLocaleString("en")} test, locked`);
    const top = [...guesses].sort((a, b) => b[1] - a[1]).slice(0, 3);
    if (top.length) parts.push(`predicted: ${top.map(([k, n]) => `${header.classes[k]} (${n.toLocaleString("en")})`).join(", ")}`);
    $("summary").textContent = parts.join(" · ");
  }

  const KEYS = {
    newest: (row) => -columns.ids[row],
    unsure: (row) => columns.confidence[row],
    sure: (row) => -columns.confidence[row],
    far_real: (row) => -columns.ood_real[row],
    far_synthetic: (row) => -columns.ood_synthetic[row],
  };

  // Rows without a value come last.
  function sort() {
    const key = KEYS[$("sort").value];
    const keyed = rows.map((row) => { const k = columns ? key(row) : 0; return [k === k ? k : Infinity, row]; });
    order = keyed.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, row]) => row);
    clearTiles();
    render();
  }

  // ---------------------------------------------------------------- the tiles in view
  function clearTiles() {
    tiles.clear();
    canvas.replaceChildren();
  }

  function geometry() {
    const across = Math.max(1, Math.floor((scroller.clientWidth + GAP) / (TILE + GAP)));
    const tile = Math.floor((scroller.clientWidth - (across - 1) * GAP) / across);
    return { across, tile, lines: Math.ceil(order.length / across), line: tile + CAPTION + GAP };
  }

  function render() {
    const { across, tile: side, lines, line } = geometry();
    canvas.style.setProperty("--tile", `${side}px`);
    canvas.style.height = `${Math.max(0, lines * line - GAP)}px`;
    const first = Math.max(0, Math.floor(scroller.scrollTop / line) - MARGIN) * across;
    const last = Math.min(order.length, (Math.ceil((scroller.scrollTop + scroller.clientHeight) / line) + MARGIN) * across);
    for (const [place, tile] of tiles) {
      if (place < first || place >= last) { tile.remove(); tiles.delete(place); }
    }
    const added = document.createDocumentFragment(), missing = [];
    for (let place = first; place < last; place++) {
      const row = order[place], id = columns.ids[row];
      let tile = tiles.get(place);
      if (!tile) {
        tile = newTile(place, row);
        tiles.set(place, tile);
        added.append(tile);
      }
      tile.style.transform = `translate(${(place % across) * (side + GAP)}px, ${Math.floor(place / across) * line}px)`;
      if (!items.has(id) && !asked.has(id)) missing.push(id);
    }
    canvas.append(added);
    for (let at = 0; at < missing.length; at += PAGE) fetchItems(missing.slice(at, at + PAGE));
    drawActions();
    notePaint();
  }

  async function fetchItems(ids) {
    ids.forEach((id) => asked.add(id));
    try {
      const response = await fetch(`/data/items?ids=${ids.join(",")}`);
      const body = await response.json();
      if (!response.ok) throw new Error(body.error);
      for (const item of body.items) items.set(item.image_id, item);
    } catch (error) {
      ids.forEach((id) => asked.delete(id));
      return say(`Some images could not be fetched: ${error.message}`, "bad");
    }
    for (const tile of tiles.values()) picture(tile);
    notePaint();
  }

  function newTile(place, row) {
    const tile = make("button", "sa-grid-tile");
    tile.type = "button";
    tile.place = place;
    tile.row = row;
    tile.append(make("span", "sa-grid-picture"), make("span", "sa-grid-caption"));
    picture(tile);
    dress(tile);
    return tile;
  }

  function picture(tile) {
    const item = items.get(columns.ids[tile.row]), frame = tile.firstChild;
    if (!item || frame.firstChild) return;
    const image = make("img");
    image.alt = item.prompt || "";
    image.decoding = "async";
    image.addEventListener("load", notePaint);
    image.addEventListener("error", notePaint);
    image.src = item.width <= 64 ? `/media/${item.sha256}.png` : `/media/${item.sha256}.webp?size=128`;
    frame.append(image);
    tile.title = [item.prompt, item.split === "test" ? "test image: locked" : null].filter(Boolean).join("\n");
  }

  function dress(tile) {
    const row = tile.row, guess = columns.predicted[row], state = columns.state[row];
    const name = state === 1 ? columns.label[row] : guess, sure = columns.confidence[row];
    const caption = tile.lastChild;
    tile.setAttribute("role", "checkbox");
    tile.setAttribute("aria-checked", String(marked.has(row)));
    tile.disabled = lockedRow(row);
    tile.dataset.state = state;
    tile.dataset.origin = columns.origin[row];
    tile.dataset.badge = lockedRow(row) ? "test" : BADGES[state];
    const percent = state !== 1 && sure === sure ? ` ${Math.round(sure * 100)}%` : "";
    const word = state === 2 ? "rejected" : name === NONE ? "no prediction" : header.classes[name];
    caption.replaceChildren(make("span", "", word), make("em", "", state === 2 ? "" : percent));
    tile.setAttribute("aria-label", `image ${columns.ids[row]}, ${word}${percent}`);
  }

  // Marks the moment when every tile in view shows its image after a new selection (for the benchmark).
  function notePaint() {
    if (!awaitingPaint) return;
    const { across, line } = geometry(), end = Math.ceil((scroller.scrollTop + scroller.clientHeight) / line) * across;
    for (const [place, tile] of tiles) {
      const image = tile.firstChild.firstChild;
      if (place < end && !image?.complete) return;
    }
    awaitingPaint = false;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      root.dataset.painted = String(rows.length);
      performance.mark("synthaug:grid-painted");
    }));
  }

  // ---------------------------------------------------------------- marking
  function mark(wanted) {
    marked = new Set(rows.filter((row) => !lockedRow(row) && wanted(row)));
    refresh();
  }

  function refresh() {
    for (const tile of tiles.values()) dress(tile);
    drawActions();
  }

  canvas.addEventListener("click", (event) => {
    const tile = event.target.closest(".sa-grid-tile");
    if (!tile || busy) return;
    const on = !marked.has(tile.row);
    const [from, to] = event.shiftKey && anchor >= 0 ? [anchor, tile.place].sort((a, b) => a - b) : [tile.place, tile.place];
    for (const row of order.slice(from, to + 1)) {
      if (!lockedRow(row)) on ? marked.add(row) : marked.delete(row);
    }
    anchor = tile.place;
    refresh();
  });
  const peek = (row) => document.dispatchEvent(new CustomEvent("synthaug:peek", { detail: { row } }));
  canvas.addEventListener("pointerover", (event) => peek(event.target.closest(".sa-grid-tile")?.row ?? null));
  canvas.addEventListener("pointerleave", () => peek(null));

  // ---------------------------------------------------------------- actions
  function drawClasses() {
    const names = header ? header.classes : [], box = $("classes");
    if (names.length <= 12) {
      return box.replaceChildren(...names.map((name, index) => {
        const button = make("button", "sa-grid-class");
        const swatch = make("i", "sa-dot");
        button.type = "button";
        button.dataset.class = index;
        button.title = `Label the marked images as "${name}"`;
        swatch.style.background = `var(--sa-class-${index % 10})`;
        button.append(swatch, make("span", "", name));
        return button;
      }));
    }
    const choice = make("select", "sa-select"), apply = make("button", "sa-button small", "Apply");
    names.forEach((name, index) => choice.append(new Option(name, index)));
    apply.type = "button";
    choice.addEventListener("change", () => { apply.dataset.class = choice.value; });
    apply.dataset.class = "0";
    box.replaceChildren(choice, apply);
  }

  function drawActions() {
    const n = marked.size, last = batches[batches.length - 1];
    $("marked").textContent = rows.length ? `${n.toLocaleString("en")} marked` : "";
    for (const button of root.querySelectorAll("[data-class], [data-do=prompted], [data-do=reject], [data-do=unsure], [data-do=review]")) {
      button.disabled = busy || !n;
    }
    const undo = root.querySelector("[data-do=undo]");
    undo.hidden = !last;
    undo.disabled = busy;
    if (last) undo.textContent = `Undo "${last.name}" (${last.entries.length.toLocaleString("en")})`;
  }

  const operationId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
  const annotator = () => localStorage.getItem("synthaug.annotator") || "me";

  function say(text, tone = "") {
    status.textContent = text;
    status.dataset.tone = tone;
  }

  async function post(address, body) {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(address, {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
        });
        const answer = await response.json();
        if (response.ok && answer.ok) return answer;
        throw Object.assign(new Error(answer.error || `the server answered ${response.status}`), { final: response.status < 500 });
      } catch (error) {
        if (error.final || attempt === TRIES) throw error;
        await new Promise((wake) => setTimeout(wake, 300 * attempt));
      }
    }
  }

  function apply(changes) {
    for (const { row, state, label } of changes) {
      columns.state[row] = state;
      columns.label[row] = label;
    }
    document.dispatchEvent(new CustomEvent("synthaug:labeled", { detail: { rows: changes.map(({ row }) => row) } }));
    refresh();
  }

  // `classOf(row)` is the class to record, or null to leave the row out (for value "class").
  async function record(name, value, classOf, source) {
    const state = { class: 1, reject: 2, unsure: 3 }[value], entries = [];
    for (const row of order) {
      const label = value === "class" ? classOf(row) : NONE;
      if (!marked.has(row) || label === null) continue;
      const before = { row, state: columns.state[row], label: columns.label[row] };
      entries.push({ row, state, label, before, value, source, op: operationId() });
    }
    if (!entries.length) return say("None of the marked images was made for a class.", "warn");
    await save({ name, entries, saved: 0 });
  }

  async function save(batch) {
    const data = columns, total = batch.entries.length;
    batches = batches.filter((each) => each !== batch);
    setBusy(true);
    try {
      while (batch.saved < total) {
        const chunk = batch.entries.slice(batch.saved, batch.saved + PAGE);
        await post("/data/labels", { entries: chunk.map((entry) => ({
          image_id: data.ids[entry.row], value: entry.value, class_index: entry.value === "class" ? entry.label : null,
          source: entry.source, op_id: entry.op, annotator: annotator(),
        })) });
        batch.saved += chunk.length;
        apply(chunk);
        say(`${batch.saved.toLocaleString("en")} of ${total.toLocaleString("en")} saved`);
      }
      batches.push(batch);
      say(`${count(total, "label")} saved: ${batch.name}`, "good");
    } catch (error) {
      say(`${batch.saved.toLocaleString("en")} of ${total.toLocaleString("en")} saved; the rest was not: ${error.message}`, "bad");
      if (batch.saved) batches.push({ ...batch, entries: batch.entries.slice(0, batch.saved) });
      if (!error.final) offerRetry(batch);
    } finally {
      setBusy(false);
    }
  }

  function offerRetry(batch) {
    const retry = make("button", "sa-scatter-link", "Try again");
    retry.type = "button";
    retry.addEventListener("click", () => {
      batches = batches.filter(({ entries }) => entries[0].op !== batch.entries[0].op);
      save(batch);
    });
    status.append(" ", retry);
  }

  async function undo() {
    const batch = batches[batches.length - 1], left = batch.entries.slice();
    let done = 0;
    setBusy(true);
    const lane = async () => {
      while (left.length) {
        const entry = left[left.length - 1];
        left.pop();
        entry.undo ||= operationId();
        await post("/data/undo", { op_id_to_undo: entry.op, op_id: entry.undo, annotator: annotator() });
        say(`${(++done).toLocaleString("en")} of ${batch.entries.length.toLocaleString("en")} undone`);
      }
    };
    try {
      await Promise.all(Array.from({ length: UNDO_LANES }, lane));
      batches.pop();
      apply(batch.entries.map(({ before }) => before));
      say(`Undone: ${batch.name} (${batch.entries.length.toLocaleString("en")})`, "good");
    } catch (error) {
      say(`Only ${done.toLocaleString("en")} undone: ${error.message}. Undo again to finish.`, "bad");
    } finally {
      setBusy(false);
    }
  }

  function setBusy(on) {
    busy = on;
    root.dataset.busy = String(on);
    drawActions();
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || busy) return;
    if (button.dataset.class) {
      const index = Number(button.dataset.class);
      record(`label as ${header.classes[index]}`, "class", () => index, "human");
    }
    const prompted = (row) => (columns.prompted[row] === NONE ? null : columns.prompted[row]);
    switch (button.dataset.do) {
      case "all": return mark(() => true);
      case "none": return mark(() => false);
      case "synthetic": return mark((row) => columns.origin[row] === SYNTHETIC);
      case "disputed": return mark((row) => prompted(row) !== null && columns.predicted[row] !== prompted(row));
      case "prompted": return record("keep the prompted class", "class", prompted, "accepted");
      case "reject": return record("reject", "reject", null, "human");
      case "unsure": return record("unsure", "unsure", null, "human");
      case "undo": return undo();
      case "review": {
        const ids = order.filter((row) => marked.has(row)).map((row) => columns.ids[row]);
        sessionStorage.setItem("synthaug.selection", JSON.stringify({ ids, from: "explore" }));
        location.href = "/label?scope=selection";
      }
    }
  });

  $("sort").addEventListener("change", () => { scroller.scrollTop = 0; anchor = -1; sort(); });
  let frame = 0;
  const later = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; if (rows.length) render(); }); };
  scroller.addEventListener("scroll", later, { passive: true });
  new ResizeObserver(later).observe(scroller);
  document.addEventListener("synthaug:selected", ({ detail }) => { if (root.isConnected) receive(detail); });
  window.addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
  drawActions();
})();
