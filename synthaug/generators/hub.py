"""Downloading a diffusers pipeline from the hub, with an error message for each way in which that can fail."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from synthaug.errors import UserError, explain_os_error

INDEX = "model_index.json"
HALF = "fp16"
_HALF_FILE = re.compile(rf"\.{HALF}[.-][^/]*safetensors$")

log = logging.getLogger(__name__)


def variant_of(names: Iterable[str]) -> str | None:
    """The variant "fp16" if a component of a pipeline has its weights only as ``*.fp16.safetensors``, else None."""
    plain: dict[PurePosixPath, bool] = defaultdict(bool)
    for path in map(PurePosixPath, names):
        if path.suffix == ".safetensors" and len(path.parts) > 1:
            plain[path.parent] |= _HALF_FILE.search(path.name) is None
    return None if all(plain.values()) else HALF


def download(hub_id: str) -> Path:
    """The local snapshot of a hub model, in a folder named after its commit; downloads only what is missing.

    Falls back to the copy on this machine, with a warning, if the hub cannot be reached. Raises UserError otherwise.
    """
    import huggingface_hub.errors as hub

    try:
        return _fetch(hub_id)
    # HTTPError is the base class of the HTTP client, which changes between releases of huggingface_hub.
    except (hub.HTTPError, hub.OfflineModeIsEnabled, hub.HFValidationError) as error:  # type: ignore[attr-defined]
        kept = _kept(hub_id)
        if kept is None:
            raise UserError(_reason(hub_id, error)) from error
        log.warning("%s; using the copy on this machine", _reason(hub_id, error))
        return kept
    except (OSError, ValueError) as error:
        if "safetensors" in str(error):
            raise UserError(
                f"the hub model {hub_id!r} has no safetensors weights; pickled weights are not read"
            ) from error
        place = getattr(error, "filename", None)
        known = explain_os_error(error, Path(place)) if isinstance(error, OSError) and place else error
        if isinstance(known, UserError):
            raise known from error
        raise UserError(f"the hub model {hub_id!r} could not be downloaded: {error}") from error


def _fetch(hub_id: str) -> Path:
    from huggingface_hub import model_info

    names = [each.rfilename for each in model_info(hub_id).siblings or ()]
    if INDEX not in names:
        raise UserError(f"the hub model {hub_id!r} is not a diffusers pipeline: it has no {INDEX}")
    if not any(name.endswith(".safetensors") for name in names):
        raise UserError(f"the hub model {hub_id!r} has no safetensors weights; pickled weights are not read")
    from diffusers import DiffusionPipeline

    return Path(DiffusionPipeline.download(hub_id, use_safetensors=True, variant=variant_of(names)))


def _kept(hub_id: str) -> Path | None:
    """The snapshot that an earlier run downloaded, if any."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(hub_id, INDEX, local_files_only=True)).parent
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def _reason(hub_id: str, error: Exception) -> str:
    """Why a model could not be downloaded and what to do about it, in one line."""
    import huggingface_hub.errors as hub
    from huggingface_hub.constants import ENDPOINT

    page = f"{ENDPOINT}/{hub_id}"
    if isinstance(error, hub.OfflineModeIsEnabled):
        return (
            f"the model {hub_id!r} is not on this machine, and HF_HUB_OFFLINE prevents its download; "
            "unset that variable, or give a folder"
        )
    if isinstance(error, hub.GatedRepoError):
        return (
            f"the model {hub_id!r} is licence-gated: accept its licence on {page}, "
            "then log in with `hf auth login`"
        )
    if isinstance(error, hub.RepositoryNotFoundError):
        return (
            f"the hub has no model {hub_id!r}, or it is private: check the spelling; "
            "for a private model, log in with `hf auth login`"
        )
    if isinstance(error, hub.HFValidationError):
        return f"{hub_id!r} is not a hub id: {_first_line(error)}"
    if isinstance(error, hub.HfHubHTTPError):
        return f"the hub refused the model {hub_id!r}: {_first_line(error)}"
    return (
        f"the model {hub_id!r} is not on this machine, and the hub at {ENDPOINT} cannot be reached "
        f"({_first_line(error)}); check the network, or give a folder"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
