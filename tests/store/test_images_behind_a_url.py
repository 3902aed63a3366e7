"""Images in an object store: a real S3 server keeps them, the folder of the workspace is only their cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from synthaug.cli import main
from synthaug.errors import ImageRejected, UserError, WorkspaceError
from synthaug.running.jobs import run_to_end
from synthaug.stages.backup import backup, restore
from synthaug.stages.generate import submit
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.importing import import_images
from synthaug.stages.pixels import load_pixels
from synthaug.stages.repair import repair
from synthaug.stages.verify import verify
from synthaug.store import catalog
from synthaug.store.image_store import ImageStore
from synthaug.workspace import Workspace

boto3 = pytest.importorskip("boto3")
BUCKET = "shards"
SIZE = (8, 8, 3)


def random_pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, SIZE, np.uint8)


def keys(prefix: str) -> set[str]:
    """What is in the bucket, by Amazon's own client."""
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {each["Key"].removeprefix(f"{prefix}/") for page in pages for each in page.get("Contents", ())}


@pytest.fixture
def url(s3: str, tmp_path: Path) -> str:
    return f"{s3}/{tmp_path.name}"


def digit_files(folder: Path) -> Path:
    """30 digits of scikit-learn as PNG files, in folders named by their classes."""
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images[:30], digits.target, strict=False)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15).astype(np.uint8)).save(folder / str(label) / f"{number}.png")
    return folder


@pytest.fixture
def remote(url: str, tmp_path: Path) -> Workspace:
    """A workspace whose images are in the bucket: 30 digits."""
    workspace = Workspace.create(tmp_path / "work", (), "digits", images=url)
    import_images(workspace, str(digit_files(tmp_path / "files")), "folder", split="train")
    return workspace


def empty_cache(workspace: Workspace) -> None:
    shutil.rmtree(workspace.images.root)
    workspace.images.root.mkdir()


def test_a_flush_uploads_what_was_put_and_another_machine_reads_it(url: str, tmp_path: Path) -> None:
    here, there = ImageStore(tmp_path / "here", url), ImageStore(tmp_path / "there", url)
    pixels, larger = random_pixels(0), np.zeros((32, 32, 3), np.uint8)
    sha256 = here.put(pixels, {}, larger)
    assert keys(tmp_path.name) == set()
    here.flush()
    assert keys(tmp_path.name) == {f"{sha256[:2]}/{sha256}.png", f"review/{sha256[:2]}/{sha256}.png"}
    assert np.array_equal(there.read(sha256), pixels)
    assert there.has_review(sha256)
    assert there.review_png(sha256) == here.review_png(sha256)
    assert there.path(sha256).exists(), "it was not kept in the cache"


def test_an_image_that_is_only_in_the_cache_is_uploaded_when_it_is_put_again(
    url: str, tmp_path: Path
) -> None:
    store = ImageStore(tmp_path / "cache", url)
    sha256 = store.put(random_pixels(1), {})
    ImageStore(tmp_path / "cache", url).put(random_pixels(1), {})  # as after a kill before the flush
    again = ImageStore(tmp_path / "cache", url)
    again.put(random_pixels(1), {})
    again.flush()
    assert keys(tmp_path.name) == {f"{sha256[:2]}/{sha256}.png"}


def test_an_image_with_other_pixels_is_refused_and_not_kept(url: str, tmp_path: Path) -> None:
    here = ImageStore(tmp_path / "here", url)
    wrong, right = here.put(random_pixels(2), {}), here.put(random_pixels(3), {})
    here.flush()
    data = here.png(wrong)
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/{right[:2]}/{right}.png", Body=data)
    there = ImageStore(tmp_path / "there", url)
    with pytest.raises(ImageRejected, match="not those that were stored in s3://"):
        there.read(right)
    assert not there.path(right).exists()


def test_the_place_opens_the_same_images_where_the_folder_is_not(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ImageStore(tmp_path / "here", url)
    sha256 = here.put(random_pixels(4), {})
    here.flush()
    assert ImageStore.at(here.place).root == (tmp_path / "here").absolute()
    monkeypatch.setenv("SYNTHAUG_CACHE", str(tmp_path / "elsewhere"))
    there = ImageStore.at({"folder": "/not/on/this/machine", "url": url})
    assert np.array_equal(there.read(sha256), random_pixels(4))
    assert tmp_path / "elsewhere" in there.path(sha256).parents


def test_a_workspace_works_with_an_empty_cache(remote: Workspace) -> None:
    hashes = [image.sha256 for image in catalog.find_images(remote.db)]
    before = load_pixels(remote, hashes, 8)
    empty_cache(remote)
    opened = Workspace.open(remote.root)
    assert np.array_equal(load_pixels(opened, hashes, 8), before)
    job = submit(opened, GenerationSpec("a <STROKE> handwritten digit eight", "8", 2, generator="digits"))
    assert run_to_end(opened, job, HANDLERS).state == "done"
    new = [each.sha256 for each in catalog.find_images(opened.db, origin="synthetic")]
    held = keys(opened.images.url.rpartition("/")[2])
    assert {f"{each[:2]}/{each}.png" for each in [*hashes, *new]} <= held
    assert len(new) == 2
    assert verify(opened).problems == ()


def test_verify_looks_behind_the_url_and_repair_uploads_from_the_cache(remote: Workspace) -> None:
    lost = catalog.find_images(remote.db)[7].sha256
    key = f"{remote.images.url.rpartition('/')[2]}/{lost[:2]}/{lost}.png"
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    (problem,) = verify(remote).found
    assert problem.sha256 == lost
    mended = repair(remote)
    assert (len(mended.repaired), mended.after.problems) == (1, ())
    empty_cache(remote)
    assert verify(remote).problems == ()


def test_a_backup_holds_the_images_and_fills_an_empty_bucket(remote: Workspace, tmp_path: Path) -> None:
    empty_cache(remote)
    done = backup(remote, tmp_path / "backup")
    assert (done.images, done.problems) == (30, ())
    folder = remote.images.url.rpartition("/")[2]
    for key in keys(folder):
        boto3.client("s3").delete_object(Bucket=BUCKET, Key=f"{folder}/{key}")
    restored = restore(tmp_path / "backup", tmp_path / "again")
    assert len(verify(restored).problems) == 30
    assert repair(restored).after.problems == ()
    assert len(keys(folder)) == 30


def test_the_command_line_says_what_is_wrong_with_a_url(
    s3: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for url, said in (
        ("/a/path", "is not the URL of an object store"),
        ("s3://no-such-bucket/x", "s3://no-such-bucket/x cannot be used"),
        ("gopher://x/y", "gopher:// is not supported"),
    ):
        with pytest.raises(SystemExit) as exit_:
            main(["init", str(tmp_path / "new"), "--preset", "digits", "--images", url])
        assert exit_.value.code == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "new").exists()


def test_a_server_that_is_down_is_no_missing_image(
    remote: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = catalog.find_images(remote.db)[0].sha256
    empty_cache(remote)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    import fsspec

    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(WorkspaceError, match="check the address, the credentials and the connection"):
        load_pixels(Workspace.open(remote.root), [sha256], 8)
    fsspec.filesystem("s3").clear_instance_cache()
    assert issubclass(WorkspaceError, UserError)
