"""Hub models through the real client, against a server on this machine that speaks as much of the hub as it needs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import synthaug_assets

from synthaug.generators.hub import variant_of

pytestmark = pytest.mark.slow

DIGITS = Path(synthaug_assets.__file__).parent / "models" / "digits"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FIND = """
import json, sys
from synthaug.errors import UserError
from synthaug.generators.folders import find_model

try:
    found = find_model(sys.argv[1])
except UserError as error:
    sys.exit(f"Error: {error}")
print(json.dumps([str(found.path), found.revision, found.variant]))
"""


class Hub(BaseHTTPRequestHandler):
    """Serves every folder ``owner/name`` below ``root`` as a model; two names are answered as the hub would."""

    root: Path

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Quietly."""

    def _answer(self, body: bool) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        name = parts[2:4] if parts[:2] == ["api", "models"] else parts[:2]
        if name == ["secret", "gated"]:
            self._refuse(403, "GatedRepo")
        elif name == ["secret", "broken"]:
            self._refuse(400, "")
        elif not (folder := self.root.joinpath(*name)).is_dir():
            self._refuse(401, "RepoNotFound")
        elif parts[0] != "api":
            self._send_file(folder / "/".join(parts[4:]), body)
        elif "tree" in parts:
            self._send_json([self._entry(folder, file) for file in self._files(folder)])
        else:
            siblings = [{"rfilename": file.relative_to(folder).as_posix()} for file in self._files(folder)]
            self._send_json({"id": "/".join(name), "sha": COMMIT, "siblings": siblings})

    def _files(self, folder: Path) -> list[Path]:
        return sorted(file for file in folder.rglob("*") if file.is_file())

    def _entry(self, folder: Path, file: Path) -> dict[str, object]:
        size = file.stat().st_size
        return {
            "type": "file",
            "path": file.relative_to(folder).as_posix(),
            "size": size,
            "oid": hashlib.sha256(file.read_bytes()).hexdigest()[:40],
        }

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", "no")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_file(self, file: Path, body: bool) -> None:
        if not file.is_file():
            self._refuse(404, "EntryNotFound")
            return
        data = file.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Where the hub's models lie: ``owner/name``."""
    root = tmp_path / "hub"
    root.mkdir()
    return root


@pytest.fixture
def endpoint(models: Path) -> Iterator[str]:
    handler = type("ThisHub", (Hub,), {"root": models})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def find(hub_id: str, endpoint: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``find_model`` in a process of its own: the client reads its settings when it is imported."""
    settings = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_ENDPOINT": endpoint, **environment}
    settings.pop("HF_TOKEN", None)
    return subprocess.run(
        [sys.executable, "-c", FIND, hub_id], env=settings, capture_output=True, text=True, timeout=120
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a person reads."""
    assert done.returncode == 1, done.stdout
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: "), done.stderr
    return line


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("hub_id", "message"),
    [
        ("nobody/nothing", "the hub has no model 'nobody/nothing', or it is private: check the spelling"),
        ("secret/gated", "licence-gated: accept its licence on"),
        ("secret/gated", "/secret/gated, then log in with `hf auth login`"),
        ("secret/broken", "the hub refused the model 'secret/broken': "),
        ("a--b/c", "'a--b/c' is not a hub id: "),
    ],
)
def test_refusals_of_the_hub_are_explained(hub_id: str, message: str, endpoint: str, tmp_path: Path) -> None:
    assert message in refusal(find(hub_id, endpoint, tmp_path))


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    said = refusal(find("some/model", f"http://127.0.0.1:{closed_port()}", tmp_path))
    assert "'some/model' is not on this machine, and the hub at http://127.0.0.1" in said
    assert "cannot be reached" in said


def test_offline_by_choice(endpoint: str, tmp_path: Path) -> None:
    said = refusal(find("some/model", endpoint, tmp_path, HF_HUB_OFFLINE="1"))
    assert "'some/model' is not on this machine, and HF_HUB_OFFLINE prevents its download" in said


@pytest.mark.long
def test_a_model_is_fetched_once_and_then_there_without_a_hub(
    models: Path, endpoint: str, tmp_path: Path
) -> None:
    shutil.copytree(DIGITS, models / "some" / "model")
    done = find("some/model", endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    path, revision, variant = json.loads(done.stdout)
    assert (revision, variant) == (COMMIT, None)
    for weights in DIGITS.rglob("*.safetensors"):
        assert (Path(path) / weights.relative_to(DIGITS)).read_bytes() == weights.read_bytes()
    nowhere = f"http://127.0.0.1:{closed_port()}"
    for later in (
        find("some/model", nowhere, tmp_path),
        find("some/model", endpoint, tmp_path, HF_HUB_OFFLINE="1"),
    ):
        assert json.loads(later.stdout) == [path, revision, variant]


def test_half_precision_is_fetched_where_there_is_nothing_else(
    models: Path, endpoint: str, tmp_path: Path
) -> None:
    for weights in shutil.copytree(DIGITS, models / "some" / "model").rglob("*.safetensors"):
        weights.rename(weights.with_name(f"{weights.stem}.fp16.safetensors"))
    done = find("some/model", endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[2] == "fp16"


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".bin", "has no safetensors weights; pickled weights are not read"),
        (None, "is not a diffusers pipeline"),
    ],
)
def test_hub_models_that_cannot_be_used_are_refused(
    suffix: str | None, message: str, models: Path, endpoint: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(DIGITS, models / "some" / "model"))
    if suffix is None:
        (folder / "model_index.json").unlink()
    for weights in folder.rglob("*.safetensors") if suffix else ():
        weights.rename(weights.with_suffix(suffix))
    assert message in refusal(find("some/model", endpoint, tmp_path))


def test_pickles_in_one_part_alone(models: Path, endpoint: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DIGITS, models / "some" / "model"))
    weights = next((folder / "vae").glob("*.safetensors"))
    weights.rename(weights.with_suffix(".bin"))
    assert "has no safetensors weights; pickled weights are not read" in refusal(
        find("some/model", endpoint, tmp_path)
    )


@pytest.mark.parametrize(
    ("names", "variant"),
    [
        (["unet/a.safetensors", "vae/b.safetensors"], None),
        (["unet/a.fp16.safetensors", "unet/a.safetensors", "vae/b.safetensors"], None),
        (["unet/a.fp16.safetensors", "vae/b.safetensors"], "fp16"),
        (["unet/a.fp16-00001-of-00002.safetensors", "vae/b.fp16.safetensors"], "fp16"),
        (["whole.fp16.safetensors", "unet/a.safetensors"], None),
        (["unet/a.safetensors.index.fp16.json"], None),
        ([], None),
    ],
)
def test_the_variant_follows_from_the_weights_that_exist(names: list[str], variant: str | None) -> None:
    assert variant_of(names) == variant
