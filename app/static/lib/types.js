// @ts-check
// The records that Python sends to the modules. They are documented in Python, where they are defined.

/**
 * What Gradio passes to the script of a component: its root element, a function that sends an event to Python, the
 * keyword arguments of `gr.HTML`, and a function that calls back when one of them changes.
 * @typedef {object} Component
 * @property {HTMLElement} element
 * @property {(event: string) => void} trigger
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
 * @property {boolean} locked a labeled real test image, which only an owner can correct
 * @property {boolean} review a larger copy is kept for looking at
 * @property {number} bits per channel; if more than 8, `/media/SHA256.gray.png` has the full depth
 * @property {Record<string, any>} acquisition how a film was taken: modality, view_position, laterality ...
 * @property {string} series the same for the films of one series; "" without one
 * @property {Note[]} [notes] what people wrote on it
 * @property {boolean} [blind] what others said of it, and what a model says, is left out
 * @property {boolean} [trained_on] the model learned from this very image
 * @property {boolean} [cross_fitted] it did, and the prediction is of models that were fitted without the image
 * @property {Reading[]} [readings] where a conflict is to be settled: what each reader said
 * @property {Proposal | null} landmarks null: the workspace uses no scheme
 */

/**
 * Landmarks to show (`synthaug.reading.landmarks.Proposal`), in pixels of the image.
 * @typedef {object} Proposal
 * @property {Record<string, number[]>} points
 * @property {"answer" | "model" | "mean" | "start"} origin
 * @property {string} by
 * @property {number | null} doubt pixels
 * @property {number | null} [model_id] of the model
 */

/** @typedef {{ scheme: string, revision: string, points: Record<string, number[]> }} PlacedLandmarks */

/**
 * An image on which a landmark model was measured (`synthaug.reading.landmark_models.Failure`); angles in degrees.
 * @typedef {object} Measured
 * @property {number} image_id
 * @property {string} sha256
 * @property {number} error the largest of its angles
 * @property {Record<string, number>} true what people placed
 * @property {Record<string, number>} read what the model placed
 */

/** @typedef {{ mean_absolute_error: number, bias: number, low: number, high: number, pearson: number | null, spearman: number | null }} Agreement of angles in degrees (`synthaug.measures.agreement.Agreement`) */

/**
 * The figures of a landmark model (`synthaug.reading.landmark_models.Report`).
 * @typedef {object} LandmarkReport
 * @property {string} model
 * @property {"test" | "held out"} measured_on
 * @property {number} images
 * @property {number} train_images
 * @property {number} point_error pixels
 * @property {number | null} accuracy
 * @property {Record<string, Agreement>} angles
 * @property {Measured[]} failures the largest error first
 */

/**
 * How the landmark model stands (`synthaug.reading.landmark_models.Standing`).
 * @typedef {object} LandmarkStanding
 * @property {string} scheme
 * @property {number} placed training images with landmarks
 * @property {number} needed
 * @property {number} new those placed after the newest model
 * @property {Pick<Job, "id" | "state" | "done" | "total" | "note" | "error"> | null} job
 * @property {LandmarkReport | null} report
 */

/** @typedef {"class" | "reject" | "unsure"} LabelValue */

/** @typedef {{ annotator: string, text: string, flagged: boolean, created_at: string }} Note */

/** @typedef {{ annotator: string, value: LabelValue, class_index: number | null, created_at: string, angles?: Record<string, number> }} Reading `angles` in degrees */

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
 * @property {Label | null} [seen] the label that stood beside the image
 * @property {boolean} [settles] the person saw readings that differ, and has the last word
 * @property {PlacedLandmarks | null} [landmarks] that come with a class
 */

/** @typedef {{ op_id_to_undo: string, op_id: string }} UndoBody */

/** @typedef {{ every: number, left: number, running: boolean, fitted: number | null, problem: string }} Refit train while labeling (`synthaug.stages.refit.RefitState`) */

/**
 * How many synthetic images have an answer, and how many real ones; `refit` null: the model is not fitted meanwhile.
 * @typedef {{ reviewed: number, total: number, real_labeled: number, real_total: number, refit?: Refit | null }} Progress
 */

/** @typedef {"queued" | "running" | "done" | "failed" | "cancelled"} JobState */

/**
 * One job as `/data/jobs` gives it (`synthaug_app.job_routes.ShownJob`).
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
 * @property {boolean} resumable whether it can go on once it was stopped or has failed
 */

/**
 * @typedef {object} JobResult
 * @property {number} [rate] of this run, in `unit`s per second
 * @property {string} [unit] what the job counts: "images"
 * @property {number} [generated]
 * @property {number} [seconds]
 * @property {number} [added]
 * @property {number} [duplicates]
 * @property {number} [rejected] files that an import refused
 * @property {string} [model]
 * @property {{ images: number, example: string }} [cut] prompts longer than the text encoder reads
 */

/**
 * An image beside the inspected one (`synthaug.reading.inspection.Neighbour`).
 * @typedef {object} Neighbour
 * @property {number} image_id
 * @property {string} sha256
 * @property {number} width pixels
 * @property {"real" | "synthetic"} origin
 * @property {"train" | "test"} split
 * @property {number | null} class_index
 * @property {number} distance 0..2
 */

/**
 * One generation of an image (`synthaug.reading.inspection.Making`).
 * @typedef {object} Making
 * @property {number} job_id
 * @property {string} made_at ISO 8601, UTC
 * @property {string} template
 * @property {string} prompt
 * @property {Record<string, string>} slots
 * @property {number | null} class_index
 * @property {number} seed
 * @property {string} generator
 * @property {string} revision
 * @property {number | null} guidance null: the generator's own
 * @property {Record<string, any>} details
 */

/**
 * A line of an image's label log (`synthaug.reading.inspection.Said`).
 * @typedef {object} Said
 * @property {LabelValue} value
 * @property {number | null} class_index
 * @property {string} annotator
 * @property {"human" | "accepted" | "imported" | "automatic"} source
 * @property {string} op_id
 * @property {string | null} model
 * @property {string | null} reason
 * @property {string} created_at ISO 8601, UTC
 * @property {string | null} undone_by
 * @property {boolean} counts
 * @property {"second" | "settlement" | null} reading
 * @property {number | null} number 1: this person read it first; null: no reading of their own
 */

/**
 * What a model says of an image: class index and probability, the likeliest first.
 * @typedef {{ model: string, classes: [number, number][], cross_fitted: boolean }} Guess
 */

/** @typedef {{ kind: "view" | "export" | "run" | "model", name: string, view: string, detail: string, created_at: string }} Holder */

/**
 * One image as `/data/image/KEY` gives it (`synthaug.reading.inspection.Inspection`), with the names of the classes.
 * @typedef {object} Inspection
 * @property {Item} item
 * @property {string} source
 * @property {string | null} caption
 * @property {string} added_at ISO 8601, UTC
 * @property {boolean} locked
 * @property {Making[]} makings
 * @property {Guess[]} guesses
 * @property {Said[]} history oldest first
 * @property {"open" | "settled" | null} conflict two readers differ
 * @property {string | null} features
 * @property {Neighbour[]} real
 * @property {Neighbour[]} synthetic
 * @property {Neighbour[]} duplicates
 * @property {Holder[]} holders
 * @property {string[]} tags
 * @property {{ tag: string, tagged: boolean, person: string, created_at: string }[]} taggings oldest first
 * @property {string[]} classes
 */

/**
 * A queue of suspects as `/data/suspects/KIND` gives it (`synthaug.reading.suspects.Suspects`).
 * @typedef {object} Queue
 * @property {string} kind
 * @property {string} title
 * @property {string} note
 * @property {number[]} ids image ids, the most suspicious first
 * @property {string[]} captions a few words on each
 * @property {number[]} marked the ids that an action is meant for
 */

export {};
