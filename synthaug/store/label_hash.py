"""The hashes that chain the label log: each entry contains the hash of the previous one."""

from __future__ import annotations

import hashlib
import json

GENESIS = "0" * 64
"""The previous hash of the first entry."""


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
    """SHA-256, in hexadecimal digits, of an entry as a JSON list in ASCII without spaces.

    Images, classes and models are identified by hash, name and revision, not by their ids in a workspace, so that an
    exported log can be verified and imported without its database. An entry with ``landmarks`` or a ``reading`` has
    one more element for each, an object with the text.
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
