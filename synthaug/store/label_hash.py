"""The hash that chains the label log: each entry holds that of the entry before."""

from __future__ import annotations

import hashlib
import json

GENESIS = "0" * 64
"""What the first entry holds."""


def label_hash(
    previous_hash: str,
    image_sha256: str,
    value: str,
    class_name: str | None,
    annotator: str,
    source: str,
    op_id: str,
    undone_op_id: str | None,
    model_revision: str | None,
    reason: str | None,
    created_at: str,
    landmarks: str | None = None,
    reading: str | None = None,
) -> str:
    """SHA-256, in hex, of an entry as a JSON list without spaces, in ASCII.

    It names image, class and model by what they are, not by their numbers in one workspace: an export of the log
    can be checked, and brought into another workspace, without the database it came from.
    Only an entry with ``landmarks`` or a ``reading`` has further elements, objects that hold their texts.
    """
    entry = [
        previous_hash,
        image_sha256,
        value,
        class_name,
        annotator,
        source,
        op_id,
        undone_op_id,
        model_revision,
        reason,
        created_at,
        *([] if landmarks is None else [{"landmarks": landmarks}]),
        *([] if reading is None else [{"reading": reading}]),
    ]
    return hashlib.sha256(json.dumps(entry, separators=(",", ":")).encode("ascii")).hexdigest()
