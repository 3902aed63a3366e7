// @ts-check
// What travels between Python and the modules. The records' own docstrings are in Python, where they are made.

/**
 * What Gradio hands to a component's script: its root, the keyword arguments of `gr.HTML`, and a way to hear
 * that one of them changed.
 * @typedef {object} Component
 * @property {HTMLElement} element
 * @property {any} props
 * @property {(name: string, then: () => void) => void} watch
 */

/**
 * One image as `/data/items` gives it (`synthaug.reading.queue.QueueItem`). Class fields are class indices.
 * @typedef {object} Item
 * @property {number} image_id
 * @property {string} sha256
 * @property {number} width pixels
 * @property {number} height pixels
 * @property {"real" | "synthetic"} origin
 * @property {"train" | "test"} split
 * @property {string | null} prompt
 * @property {Record<string, string>} slots
 * @property {number | null} prompted_class
 * @property {number | null} predicted_class
 * @property {number | null} confidence 0..1
 * @property {number | null} [model_id] the model whose prediction this is
 * @property {LabelValue | null} label_value
 * @property {number | null} label_class
 * @property {boolean} review a larger copy is kept for looking at
 * @property {number} bits of one channel; more than 8: a film, with all its bits at `/media/SHA256.gray.png`
 * @property {Record<string, any>} acquisition how a film was taken: modality, view_position, laterality ...
 */

/** @typedef {"class" | "reject" | "unsure"} LabelValue */

/** @typedef {{ value: LabelValue, class_index: number | null }} Label */

/**
 * One answer as `POST /data/labels` takes it.
 * @typedef {object} LabelBody
 * @property {number} image_id
 * @property {LabelValue} value
 * @property {number | null} class_index
 * @property {"human" | "accepted"} source
 * @property {string} op_id
 * @property {number | null} model_id the model whose prediction the person saw; null without one
 */

/** @typedef {{ op_id_to_undo: string, op_id: string }} UndoBody */

/**
 * How many synthetic images have an answer, and how many real ones.
 * @typedef {{ reviewed: number, total: number, real_labeled: number, real_total: number }} Progress
 */

/** @typedef {"queued" | "running" | "done" | "failed" | "cancelled"} JobState */

/**
 * One job as `/data/jobs` gives it (`synthaug_app.routes.job_json`).
 * @typedef {object} Job
 * @property {number} id
 * @property {string} kind
 * @property {JobState} state
 * @property {Record<string, any>} params
 * @property {JobResult} result
 * @property {number} done
 * @property {number} total 0 while unknown
 * @property {string} note
 * @property {string} error
 * @property {string | null} started_at ISO 8601, UTC
 * @property {boolean} cancel_requested
 */

/**
 * @typedef {object} JobResult
 * @property {number} [rate] of this run, in `unit`s per second
 * @property {string} [unit] what the job counts: "images"
 * @property {number} [generated]
 * @property {number} [seconds]
 * @property {number} [added]
 * @property {number} [duplicates]
 * @property {string} [model]
 * @property {{ images: number, example: string }} [cut] prompts longer than the text encoder reads
 */

export {};
