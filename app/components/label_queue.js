// The queue: ids of everything, records of what comes soon, decoded images of what comes next.

const ITEMS_AHEAD = 120;
const ITEMS_PAGE = 100;
const REFILL_BELOW = 60;
const IMAGES_AHEAD = 8;
const IMAGES_BEHIND = 2;

async function getJson(path) {
  const response = await fetch(path);
  const answer = await response.json();
  if (response.ok) return answer;
  const error = new Error(answer.error ?? `the app answered ${response.status}`);
  throw Object.assign(error, { status: response.status });
}

// Records of images; an id that this workspace does not have is left out.
async function fetchItems(ids) {
  if (!ids.length) return [];
  try {
    return (await getJson(`/data/items?ids=${ids.join(",")}`)).items;
  } catch (error) {
    if (error.status !== 404) throw error;
    if (ids.length === 1) return [];
    const half = ids.length >> 1;
    return [...(await fetchItems(ids.slice(0, half))), ...(await fetchItems(ids.slice(half)))];
  }
}

class LabelQueue {
  constructor(listeners) {
    this.listeners = listeners;
    this.images = new Map();
    this.replace([]);
  }

  replace(ids) {
    this.ids = ids;
    this.items = new Map();
    this.at = 0;
    this.fetching = false;
  }

  get current() {
    return this.items.get(this.ids[this.at]);
  }

  get finished() {
    return this.at >= this.ids.length;
  }

  get picture() {
    return this.images.get(this.ids[this.at]);
  }

  moveTo(index) {
    this.at = Math.max(0, Math.min(this.ids.length, index));
    this.lookAhead();
  }

  // Go to one image wherever it is; an image that is not in this queue is put in at the present place.
  find(imageId) {
    const index = this.ids.indexOf(imageId);
    if (index < 0) this.ids.splice(this.at, 0, imageId);
    this.moveTo(index < 0 ? this.at : index);
  }

  lookAhead() {
    this.decodeAhead();
    const from = Math.max(0, this.at - IMAGES_BEHIND);
    const missing = this.ids.slice(from, this.at + ITEMS_AHEAD).filter((id) => !this.items.has(id));
    const near = this.ids.slice(from, this.at + REFILL_BELOW).some((id) => !this.items.has(id));
    if (near && !this.fetching) this.fetch(missing.slice(0, ITEMS_PAGE));
  }

  async fetch(ids) {
    const queue = this.ids;
    this.fetching = true;
    try {
      const items = await fetchItems(ids);
      for (const item of items) this.items.set(item.image_id, item);
      const gone = new Set(ids.filter((id) => !this.items.has(id)));
      if (gone.size && queue === this.ids) {
        this.ids = queue.filter((id, index) => index < this.at || !gone.has(id));
      }
      this.fetching = false;
      this.listeners.arrived();
    } catch {
      this.listeners.unreachable();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      this.fetching = false;
    }
    this.lookAhead();
  }

  decodeAhead() {
    const near = this.ids.slice(Math.max(0, this.at - IMAGES_BEHIND), this.at + IMAGES_AHEAD + 1);
    const keep = new Set(near);
    for (const id of this.images.keys()) if (!keep.has(id)) this.images.delete(id);
    for (const id of near) {
      const item = this.items.get(id);
      if (item && !this.images.has(id)) this.images.set(id, this.decode(item));
    }
  }

  decode(item) {
    const image = new Image();
    const picture = { image, state: "loading" };
    image.alt = "Image to label";
    image.draggable = false;
    image.src = `/media/${item.sha256}${item.review ? ".review" : ""}.png`;
    const settled = (state) => () => {
      picture.state = state;
      this.listeners.decoded(item.image_id);
    };
    image.decode().then(settled("ready"), settled("failed"));
    return picture;
  }
}
