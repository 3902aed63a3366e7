// Rows of jobs, updated in place on every answer of the shell's polling.

const list = element.querySelector(".sa-jobs");
const none = element.querySelector(".sa-jobs-empty");
const rows = new Map();
const WORDS = { queued: "waiting", running: "running", done: "done", failed: "failed", cancelled: "stopped" };
const CHIPS = { queued: "", running: "", done: "good", failed: "bad", cancelled: "warn" };
const TITLES = { generate: "Generate", predict: "Predict", score: "Compute features", import: "Import", retrain: "Retrain", train: "Train", finetune: "Fine-tune" };

none.textContent = props.empty;

const make = (tag, className, parent) => {
  const each = document.createElement(tag);
  each.className = className;
  parent?.append(each);
  return each;
};

function build(id) {
  const row = make("li", "sa-job");
  const head = make("div", "sa-job-head", row);
  const parts = { row, title: make("b", "", head), what: make("span", "sa-job-what", head), chip: make("span", "sa-chip", head) };
  parts.button = make("button", "sa-button small", head);
  parts.button.type = "button";
  parts.meter = make("i", "", make("div", "sa-meter", row));
  const foot = make("div", "sa-job-foot", row);
  parts.done = make("span", "", foot);
  parts.rate = make("span", "", foot);
  parts.left = make("span", "sa-job-left", foot);
  parts.cut = make("p", "sa-job-cut", row);
  parts.error = make("p", "sa-job-error", row);
  parts.button.addEventListener("click", () => act(id, parts));
  return parts;
}

async function act(id, parts) {
  parts.button.disabled = true;
  try {
    await fetch(`/data/jobs/${id}/${parts.button.dataset.do}`, { method: "POST" });
  } finally {
    document.dispatchEvent(new CustomEvent("synthaug:poll"));
    parts.button.disabled = false;
  }
}

function perSecond(job) {
  const said = /([\d.]+) images\/s/.exec(job.note);
  if (said) return Number(said[1]);
  const seconds = (Date.now() - Date.parse(job.started_at)) / 1000;
  return job.done && seconds > 0 ? job.done / seconds : 0;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

const count = (number) => number.toLocaleString("en");

function summary(job) {
  const { result, params } = job;
  if (job.kind === "generate") return `${params.label} · ${params.template}`;
  if (job.kind === "import") return params.source ?? "";
  if (job.kind === "finetune") return `${params.name} · ${params.base} on ${params.view}`;
  return params.model ?? result.model ?? "";
}

function finished(job) {
  const { result } = job;
  if (job.kind === "import" && "added" in result) return `${count(result.added)} added, ${count(result.duplicates)} already there`;
  if (result.seconds && result.generated) return `${(result.generated / result.seconds).toFixed(1)} images/s`;
  return "";
}

function cutText({ cut }) {
  if (!cut) return "";
  return `${count(cut.images)} ${cut.images === 1 ? "prompt was" : "prompts were"} longer than the text encoder reads. Not read, for example: “${cut.example}”`;
}

function fill(parts, job) {
  const active = job.state === "running" || job.state === "queued";
  parts.row.dataset.state = job.state;
  parts.row.dataset.job = String(job.id);
  parts.title.textContent = TITLES[job.kind] ?? job.kind;
  parts.what.textContent = parts.what.title = summary(job);
  parts.chip.textContent = job.cancel_requested && active ? "stopping" : WORDS[job.state];
  parts.chip.className = `sa-chip ${CHIPS[job.state]}`;
  parts.button.dataset.do = active ? "cancel" : "resume";
  parts.button.textContent = active ? "Stop" : job.state === "failed" ? "Try again" : "Go on";
  parts.button.hidden = job.state === "done" || (active && job.cancel_requested);
  const share = job.state === "done" ? 1 : job.total ? job.done / job.total : 0;
  parts.meter.style.width = `${100 * share}%`;
  parts.done.textContent = job.total ? `${count(job.done)} of ${count(job.total)}` : job.note;
  parts.rate.textContent = active ? job.note : finished(job);
  const rate = perSecond(job);
  const left = job.state === "running" && rate && job.total ? (job.total - job.done) / rate : null;
  parts.left.textContent = left === null ? "" : `${duration(left)} left`;
  parts.cut.textContent = cutText(job.result);
  parts.cut.hidden = !job.result.cut;
  parts.error.textContent = job.error;
  parts.error.hidden = !job.error;
}

function show(jobs) {
  const shown = jobs.filter((job) => props.kinds.includes(job.kind)).slice(0, props.limit);
  const ids = new Set(shown.map((job) => job.id));
  for (const [id, parts] of rows) {
    if (ids.has(id)) continue;
    parts.row.remove();
    rows.delete(id);
  }
  shown.forEach((job, index) => {
    if (!rows.has(job.id)) rows.set(job.id, build(job.id));
    const parts = rows.get(job.id);
    if (list.children[index] !== parts.row) list.insertBefore(parts.row, list.children[index] ?? null);
    fill(parts, job);
  });
  none.hidden = shown.length > 0;
}

document.addEventListener("synthaug:jobs", (event) => show(event.detail));
document.dispatchEvent(new CustomEvent("synthaug:poll"));
