// The desk: shows the current image, turns keys and buttons into answers, and never waits for the server.

const desk = element.querySelector(".ld");
const part = (name) => desk.querySelector(`[data-${name}]`);
const { classes, orders, scopes, workspace } = props;
const byKey = new Map(classes.flatMap((each, index) => (each.key ? [[each.key, index]] : [])));
const STRIP = 8;
const PIXELATED_BELOW = 160; // px: smaller images are shown as the squares they are
const NAMES = { reject: "Rejected", unsure: "Unsure" };

const state = {
  said: new Map(), // image id -> {value, class_index} of this session
  history: [], // operations that can be undone, oldest first
  strip: [],
  times: [],
  progress: { reviewed: 0, total: 0 },
  shown: null,
  choice: { order: "newest", scope: "unreviewed", smooth: false, ...stored("synthaug.desk", {}) },
};

function stored(key, fallback, storage = localStorage) {
  try {
    return JSON.parse(storage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}

function labelOf(item) {
  if (state.said.has(item.image_id)) return state.said.get(item.image_id);
  return item.label_value ? { value: item.label_value, class_index: item.label_class } : null;
}

function wordsFor(label) {
  return label.value === "class" ? classes[label.class_index].name : NAMES[label.value];
}

function suggestionOf(item) {
  return item.predicted_class ?? item.prompted_class;
}

const queue = new LabelQueue({
  arrived: show,
  unreachable: () => showProblem("The app cannot be reached; trying again."),
  decoded: (id) => id === queue.ids[queue.at] && showPicture(),
});

const outbox = new Outbox(workspace, {
  changed: showSaved,
  progress: (progress) => {
    state.progress = progress;
    showProblem("");
  },
  problem: showProblem,
});

// --- answers

function say(value, classIndex, source) {
  const item = queue.current;
  if (!item) return announce(queue.finished ? "Nothing left to review." : "Still loading the next image.");
  const previous = labelOf(item);
  const label = { value, class_index: classIndex };
  const body = { image_id: item.image_id, ...label, source, op_id: crypto.randomUUID(), annotator: annotator() };
  state.said.set(item.image_id, label);
  state.history.push({ op_id: body.op_id, item, previous });
  state.strip = [...state.strip, { item, label, op_id: body.op_id }].slice(-STRIP);
  state.times = [...state.times, performance.now()].slice(-21);
  queue.moveTo(queue.at + 1);
  show();
  showStrip();
  outbox.add(operation("label", item, body, previous ? 0 : 1));
  announce(`${wordsFor(label)}. ${placeInWords()}`);
}

function undo() {
  const last = state.history.pop();
  if (!last) return announce("Nothing to undo.");
  const body = { op_id_to_undo: last.op_id, op_id: crypto.randomUUID(), annotator: annotator() };
  state.said.set(last.item.image_id, last.previous);
  state.strip = state.strip.filter((entry) => entry.op_id !== last.op_id);
  state.times.pop();
  queue.find(last.item.image_id);
  show();
  showStrip();
  outbox.add(operation("undo", last.item, body, last.previous ? 0 : -1));
  announce(`Undone. ${placeInWords()}`);
}

// `adds` is what the operation adds to the number of reviewed synthetic images.
function operation(kind, item, body, adds) {
  const counts = item.origin === "synthetic" ? adds : 0;
  return { kind, body, image_id: item.image_id, sha256: item.sha256, adds: counts, at: Date.now() };
}

function annotator() {
  return part("annotator").value.trim() || "me";
}

const actions = {
  accept: () => {
    const suggested = queue.current ? suggestionOf(queue.current) : null;
    if (queue.current && suggested === null) announce("There is no suggestion for this image.");
    else say("class", suggested, "accepted");
  },
  reject: () => say("reject", null, "human"),
  unsure: () => say("unsure", null, "human"),
  undo,
  back: () => step(-1),
  skip: () => step(1),
  help: () => part("dialog").showModal(),
  reload: () => load(),
};

function step(by) {
  queue.moveTo(queue.at + by);
  show();
  announce(placeInWords());
}

// --- what is seen

function show() {
  const item = queue.current;
  part("empty").hidden = !queue.finished || state.loading;
  part("main").hidden = queue.finished && !state.loading;
  showPicture();
  showPlace();
  if (queue.finished) showEmpty();
  if (!item || state.shown === item) return item && showAnswer(item);
  state.shown = item;
  part("prompt").textContent = item.prompt ?? "No prompt: this image was imported.";
  part("prompt").classList.toggle("sa-muted", !item.prompt);
  part("slots").replaceChildren(...Object.entries(item.slots ?? {}).map(slot));
  showOrigin(item);
  showSuggestion(item);
  showAnswer(item);
}

function slot([name, value]) {
  const [pair, term, description] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = name;
  description.textContent = value;
  pair.append(term, description);
  return pair;
}

function showPicture() {
  const [frame, picture] = [part("frame"), queue.picture];
  const id = String(queue.ids[queue.at]);
  if (!picture || picture.state === "loading") {
    if (frame.dataset.image !== id) frame.replaceChildren(); // never the last image beside the next one's words
    return;
  }
  frame.dataset.image = id;
  if (picture.state === "failed") {
    frame.textContent = "This image cannot be read. Press X to reject it.";
    return;
  }
  const { image } = picture;
  const tiny = Math.max(image.naturalWidth, image.naturalHeight) < PIXELATED_BELOW;
  image.classList.toggle("pixelated", tiny && !state.choice.smooth);
  image.alt = `Image ${id}`;
  if (frame.firstChild !== image) frame.replaceChildren(image);
}

function showOrigin(item) {
  part("origin").textContent = item.origin;
  part("origin").className = `sa-chip ${item.origin}`;
  part("split").textContent = item.split;
  part("size").textContent = `${item.width} × ${item.height} px`;
}

function showSuggestion(item) {
  const suggested = suggestionOf(item);
  const predicted = item.predicted_class !== null;
  const [button, accept] = [part("suggested"), desk.querySelector(".ld-accept")];
  accept.disabled = suggested === null;
  button.textContent = suggested === null ? "None yet" : classes[suggested].name;
  accept.style.setProperty("--swatch", suggested === null ? "transparent" : classes[suggested].color);
  const share = predicted && item.confidence !== null ? percent(item.confidence) : null;
  accept.querySelector(".ld-confidence").style.visibility = share === null ? "hidden" : "visible";
  accept.querySelector(".sa-meter > i").style.width = `${share ?? 0}%`;
  part("confidence").textContent = share === null ? "" : `${share}%`;
  const differs = predicted && item.prompted_class !== null && item.prompted_class !== item.predicted_class;
  part("disagree").style.visibility = differs ? "visible" : "hidden";
  const prompted = item.prompted_class === null ? null : classes[item.prompted_class].name;
  part("why").textContent = predicted
    ? prompted === null ? "The model's prediction." : `The model's prediction. The prompt asked for ${prompted}.`
    : prompted === null ? "No model has looked at this image yet." : "What the prompt asked for; no model has looked yet.";
}

// Whole percent; 100 is kept for what rounds to it at a tenth.
function percent(share) {
  return share >= 0.9995 ? 100 : Math.min(99, Math.round(100 * share));
}

function showAnswer(item) {
  const label = labelOf(item);
  part("current").textContent = label ? wordsFor(label) : "not labeled yet";
  for (const button of part("classes").children) {
    const pressed = label?.value === "class" && label.class_index === Number(button.dataset.class);
    button.setAttribute("aria-pressed", String(pressed));
  }
  for (const value of Object.keys(NAMES)) {
    desk.querySelector(`[data-do="${value}"]`).setAttribute("aria-pressed", String(label?.value === value));
  }
}

function showPlace() {
  const waiting = outbox.waiting.reduce((sum, each) => sum + each.adds, 0);
  const { total } = state.progress;
  const reviewed = Math.max(0, Math.min(total, state.progress.reviewed + waiting));
  const share = total ? (100 * reviewed) / total : 0;
  part("meter").firstElementChild.style.width = `${share}%`;
  part("meter").setAttribute("aria-valuenow", String(Math.round(share)));
  part("reviewed").textContent = `${reviewed.toLocaleString("en")} of ${total.toLocaleString("en")} reviewed`;
  part("place").textContent = queue.ids.length ? placeInWords() : "";
  part("rate").textContent = rateInWords();
}

function placeInWords() {
  if (queue.finished) return `End of the queue (${queue.ids.length.toLocaleString("en")})`;
  return `Image ${(queue.at + 1).toLocaleString("en")} of ${queue.ids.length.toLocaleString("en")} in the queue`;
}

function rateInWords() {
  const recent = state.times.filter((time) => performance.now() - time < 60_000);
  if (recent.length < 3) return "";
  const perMinute = ((recent.length - 1) * 60_000) / Math.max(1, recent.at(-1) - recent[0]);
  return `${Math.round(perMinute)} a minute`;
}

function showSaved() {
  const count = outbox.waiting.length;
  const troubled = outbox.failures > 0;
  const chip = part("saved");
  chip.dataset.state = troubled ? "trouble" : count ? "saving" : "saved";
  const words = count === 0 ? "All saved" : troubled ? `${count} unsaved · trying again` : `${count} unsaved`;
  chip.querySelector("b").textContent = words;
  chip.dataset.count = String(count);
  if (state.troubled !== troubled) announce(troubled ? "The app cannot be reached. Answers are kept." : "All saved.");
  state.troubled = troubled;
  showPlace();
}

function showStrip() {
  const entries = state.strip.map(({ item, label }) => {
    const [place, button, image, words] = ["li", "button", "img", "span"].map((tag) => document.createElement(tag));
    button.type = "button";
    button.title = "Go back to this image";
    image.src = `/media/${item.sha256}.webp?size=64`;
    image.alt = "";
    words.textContent = wordsFor(label);
    words.className = label.value;
    button.append(image, words);
    button.addEventListener("click", () => {
      queue.find(item.image_id);
      show();
    });
    place.append(button);
    return place;
  });
  const blanks = Array.from({ length: STRIP - entries.length }, () => document.createElement("li"));
  if (!entries.length) {
    const hint = document.createElement("li");
    hint.className = "hint";
    hint.textContent = "Your latest answers stand here; click one to go back to it.";
    blanks.splice(0, blanks.length, hint);
  }
  part("strip").replaceChildren(...entries.reverse(), ...blanks);
}

function showEmpty() {
  const none = state.progress.total === 0 && queue.ids.length === 0;
  part("empty-title").textContent = none ? "Nothing to label yet" : "Nothing left to review";
  part("empty-hint").textContent = none
    ? "There are no synthetic images. Generate some, or choose Real above to look through what was imported."
    : queue.ids.length ? "You have been through the whole queue. Z still undoes, ← goes back."
      : "This queue is empty. Choose another above, generate more, or see where the images lie.";
}

function showProblem(text) {
  part("problem").textContent = text;
  part("problem").hidden = !text;
}

function announce(text) {
  part("live").textContent = text;
}

// --- keys and buttons

const NAMED_KEYS = { Enter: "accept", " ": "accept", x: "reject", u: "unsure", z: "undo", ArrowLeft: "back", Backspace: "back", ArrowRight: "skip", "?": "help" };

function onKey(event) {
  const target = event.composedPath()[0];
  const typing = target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable='true']");
  if (typing || event.isComposing || event.repeat || event.metaKey || event.altKey || part("dialog").open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = event.ctrlKey ? key === "z" && "undo" : NAMED_KEYS[key];
  const pressesTarget = (key === "Enter" || key === " ") && target.matches?.("button, a, summary, input");
  if (pressesTarget) return;
  if (!event.ctrlKey && byKey.has(key)) say("class", byKey.get(key), "human");
  else if (action) actions[action]();
  else return;
  event.preventDefault();
}

function onClick(event) {
  const button = event.target.closest("[data-do], [data-class]");
  if (!button || button.disabled) return;
  if (button.dataset.class) say("class", Number(button.dataset.class), "human");
  else actions[button.dataset.do]();
}

function classButton({ name, key, color }, index) {
  const [button, kbd, swatch, text] = ["button", "kbd", "i", "span"].map((tag) => document.createElement(tag));
  button.type = "button";
  button.className = "ld-class";
  button.dataset.class = String(index);
  button.style.setProperty("--swatch", color);
  button.title = name;
  kbd.className = "sa-kbd";
  kbd.textContent = key.toUpperCase();
  kbd.hidden = !key;
  swatch.className = "sa-swatch";
  text.textContent = name;
  button.append(swatch, text, kbd);
  return button;
}

function option([value, text]) {
  const each = document.createElement("option");
  each.value = value;
  each.textContent = text;
  return each;
}

function fillHelp() {
  const rows = classes.filter(({ key }) => key).map(({ name, key }) => [key.toUpperCase(), name]);
  rows.push(["Enter, Space", "Accept the suggestion"], ["X", "Reject: not usable for any class"]);
  rows.push(["U", "Unsure: leave it for somebody else"], ["Z, Ctrl+Z", "Undo, and go back to that image"]);
  rows.push(["←, Backspace", "Back"], ["→", "Skip"], ["?", "These keys"]);
  part("keys").replaceChildren(...rows.flatMap(slot));
}

// --- starting

async function load() {
  const { order, scope } = state.choice;
  state.loading = true;
  try {
    const selection = stored("synthaug.selection", { ids: [] }, sessionStorage);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const [answer, progress] = await Promise.all([
      scope === "selection" ? selection : getJson(`/data/queue?${new URLSearchParams({ order, scope, seed })}`),
      getJson("/data/progress"),
    ]);
    state.progress = progress;
    state.shown = null;
    state.loading = false;
    queue.replace([...answer.ids]);
    showProblem("");
    queue.lookAhead();
    show();
    desk.dataset.ready = "true";
  } catch (error) {
    showProblem(`The queue cannot be read: ${error.message}. Trying again.`);
    setTimeout(load, 2000);
  }
}

function choose() {
  state.choice = { order: part("order").value, scope: part("scope").value, smooth: part("smooth").checked };
  localStorage.setItem("synthaug.desk", JSON.stringify(state.choice));
}

// A selection that another page has just made is what the person came for; once.
function newSelection() {
  const made = sessionStorage.getItem("synthaug.selection");
  if (!made || made === sessionStorage.getItem("synthaug.selection.opened")) return {};
  sessionStorage.setItem("synthaug.selection.opened", made);
  return { scope: "selection" };
}

function fillChoices() {
  const selection = stored("synthaug.selection", { ids: [] }, sessionStorage);
  const count = selection.ids.length.toLocaleString("en");
  part("scope").append(...scopes.map(option));
  if (selection.ids.length) part("scope").append(option(["selection", `Selection (${count} images)`]));
  part("order").append(...orders.map(option));
  const asked = { ...newSelection(), ...Object.fromEntries(new URL(location.href).searchParams) };
  for (const name of ["order", "scope"]) {
    const wanted = asked[name] ?? state.choice[name];
    const values = [...part(name).options].map((each) => each.value);
    part(name).value = state.choice[name] = values.includes(wanted) ? wanted : values[0];
  }
  part("smooth").checked = state.choice.smooth;
  part("annotator").value = localStorage.getItem("synthaug.annotator") ?? "me";
}

function listen() {
  document.addEventListener("keydown", onKey);
  desk.addEventListener("click", onClick);
  // A button pressed with the mouse does not take the keys away from the desk.
  desk.addEventListener("pointerdown", (event) => event.target.closest("button") && event.preventDefault());
  part("annotator").addEventListener("change", () => localStorage.setItem("synthaug.annotator", annotator()));
  for (const name of ["order", "scope"]) {
    part(name).addEventListener("change", () => {
      choose();
      part(name).blur();
      load();
    });
  }
  part("smooth").addEventListener("change", () => {
    choose();
    part("smooth").blur();
    showPicture();
  });
}

part("classes").replaceChildren(...classes.map(classButton));
fillChoices();
fillHelp();
listen();
showStrip();
showSaved();
(async () => {
  try {
    await outbox.adopt(fetchItems);
  } catch {
    showProblem("The app cannot be reached; trying again.");
  }
  await load();
})();
