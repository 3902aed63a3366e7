// What was said and is not saved yet: sent in order, one request at a time, until the server has it.
// Every entry also lies in localStorage under its operation id, so that a crash or a reload loses none;
// the server ignores an operation id it has seen, so that sending again is always safe.

const RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;
const BATCH = 50;
const REFUSALS = new Set([400, 404, 422]);

class Outbox {
  constructor(workspace, listeners) {
    this.prefix = `synthaug.outbox.${workspace}.`;
    this.listeners = listeners;
    this.waiting = [];
    this.sending = false;
    this.failures = 0;
    this.oneByOne = false;
    document.addEventListener("synthaug:jobs", () => this.wake?.()); // the shell's polling got an answer
    window.addEventListener("beforeunload", (event) => {
      if (this.waiting.length) event.preventDefault();
    });
  }

  add(operation) {
    this.waiting.push(operation);
    try {
      localStorage.setItem(this.prefix + operation.body.op_id, JSON.stringify(operation));
    } catch {
      this.listeners.problem("This browser's storage is full: keep this page open until all is saved.");
    }
    this.listeners.changed();
    this.send();
  }

  // Entries that an earlier page left behind, oldest first, as far as their images are still the same.
  async adopt(itemsOf) {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
    const left = keys.map((key) => JSON.parse(localStorage.getItem(key))).sort((a, b) => a.at - b.at);
    for (let start = 0; start < left.length; start += 100) {
      const page = left.slice(start, start + 100);
      const items = await itemsOf([...new Set(page.map((operation) => operation.image_id))]);
      const known = new Map(items.map((item) => [item.image_id, item.sha256]));
      for (const operation of page) {
        if (known.get(operation.image_id) === operation.sha256) this.waiting.push(operation);
        else localStorage.removeItem(this.prefix + operation.body.op_id);
      }
    }
    this.listeners.changed();
    await this.send();
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting.length) {
      const batch = this.nextBatch();
      const answer = await this.post(batch);
      if (answer.ok) this.settle(batch, answer);
      else if (answer.refused && batch.length > 1) this.oneByOne = true;
      else if (answer.refused) {
        this.settle(batch, answer);
        this.listeners.problem(`One answer was refused: ${answer.error}`);
      } else {
        this.failures += 1;
        this.listeners.changed();
        await this.pause(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (this.failures - 1)));
      }
    }
    this.sending = false;
    this.listeners.changed();
  }

  // The first entry, with the labels right behind it where it is a label itself.
  nextBatch() {
    const [first] = this.waiting;
    if (first.kind === "undo" || this.oneByOne) return [first];
    const end = this.waiting.findIndex((operation) => operation.kind === "undo");
    return this.waiting.slice(0, Math.min(BATCH, end < 0 ? BATCH : end));
  }

  async post(batch) {
    const undo = batch[0].kind === "undo";
    const body = undo ? batch[0].body : { entries: batch.map((operation) => operation.body) };
    try {
      const response = await fetch(undo ? "/data/undo" : "/data/labels", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const answer = await response.json();
      return { ...answer, refused: answer.ok === false && REFUSALS.has(response.status) };
    } catch {
      return { ok: false };
    }
  }

  settle(batch, answer) {
    this.waiting.splice(0, batch.length);
    for (const operation of batch) localStorage.removeItem(this.prefix + operation.body.op_id);
    this.failures = 0;
    if (answer.progress) this.listeners.progress(answer.progress);
    this.listeners.changed();
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
