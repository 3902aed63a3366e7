"""Images that are not square keep their shape for every network; old classifiers read as they were trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from synthaug import cifar_pickle
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.pixels import to_tensor
from synthaug.features import load_extractor
from synthaug.images import as_square
from synthaug.records import LabelEntry, Pixels
from synthaug.stages.export import export, rebuild
from synthaug.stages.label import record
from synthaug.stages.pixels import load_levels
from synthaug.stages.predict import predict
from synthaug.stages.quick_model import quick_model
from synthaug.stages.train import resolve_recipe
from synthaug.store import catalog, features, models, views
from synthaug.workspace import Workspace


def wide(seed: int, size: tuple[int, int] = (48, 24)) -> Pixels:
    """Noise of ``size`` (width, height), never black."""
    return np.random.default_rng(seed).integers(60, 256, (size[1], size[0], 3)).astype(np.uint8)


def put(workspace: Workspace, pixels: Pixels, class_index: int | None = None) -> int:
    height, width = pixels.shape[:2]
    image_id, _ = catalog.add_image(
        workspace.db,
        sha256=workspace.images.put(pixels, {}),
        size=(width, height),
        split="train",
        origin="real",
        source="camera",
    )
    if class_index is not None:
        record(workspace, [LabelEntry(image_id, "class", "ann", "human", f"first-{image_id}", class_index)])
    return image_id


@pytest.mark.parametrize("size", [(48, 24), (24, 48), (7, 300)])
def test_a_square_holds_the_whole_image_between_black_bars(size: tuple[int, int]) -> None:
    pixels = wide(1, size)
    square = as_square(pixels, 32, "padded")
    longest = max(size)
    inner = [max(1, round(32 * each / longest)) for each in size]  # width, height
    left, top = (32 - inner[0]) // 2, (32 - inner[1]) // 2
    expected = np.zeros((32, 32, 3), np.uint8)
    expected[top : top + inner[1], left : left + inner[0]] = np.asarray(
        Image.fromarray(pixels).resize((inner[0], inner[1]), Image.Resampling.BICUBIC)
    )
    np.testing.assert_array_equal(square, expected)


def test_arrays_that_are_not_square_are_framed_alike() -> None:
    pixels = wide(2, (40, 20))[None]
    found = to_tensor(pixels, 20, "padded")
    inner = F.interpolate(
        torch.from_numpy(pixels).permute(0, 3, 1, 2).float(), (10, 20), mode="bilinear", antialias=True
    )
    assert found.shape == (1, 3, 20, 20)
    assert not found[:, :, :5].any()
    assert not found[:, :, 15:].any()
    torch.testing.assert_close(found[:, :, 5:15].float(), inner, atol=0.5, rtol=0)
    assert torch.equal(to_tensor(pixels, 20), to_tensor(pixels, 20, "squeezed"))


def test_square_images_are_read_as_ever(workspace: Workspace) -> None:
    put(workspace, wide(3, (40, 40)))
    recipe = resolve_recipe(workspace, "small-cnn")
    assert recipe.framing == "squeezed"
    hashes = [each.sha256 for each in catalog.find_images(workspace.db)]
    both = [load_levels(workspace, hashes, 32, framing) for framing in ("squeezed", "padded")]  # type: ignore[arg-type]
    np.testing.assert_array_equal(*both)
    put(workspace, wide(4))
    assert resolve_recipe(workspace, "small-cnn").framing == "padded"


def test_an_extractor_that_pads_has_a_revision_of_its_own() -> None:
    squeezing, padding = (load_extractor("efficientnet-lite0", 32, each) for each in ("squeezed", "padded"))  # type: ignore[arg-type]
    assert squeezing.revision == load_extractor("efficientnet-lite0", 32).revision != padding.revision


@pytest.mark.slow
def test_a_classifier_reads_new_images_as_it_read_those_it_learned_from(workspace: Workspace) -> None:
    ids = [put(workspace, wide(number, (32, 32)) // (1 + number % 2), number % 2) for number in range(8)]
    old = quick_model(workspace)
    assert FittedClassifier.load(workspace.root / old.file).recipe.framing == "squeezed"
    predict(workspace, old.name)
    ids.append(put(workspace, wide(9)))  # the first that is not square
    assert predict(workspace, old.name).predicted == 1
    new = quick_model(workspace)
    fitted = FittedClassifier.load(workspace.root / new.file)
    assert fitted.recipe.framing == "padded"
    predict(workspace, new.name)
    assert [each.extractor for each in sets(workspace)] == ["efficientnet-lite0"] * 2
    for model in (old, new):
        classifier = FittedClassifier.load(workspace.root / model.file)
        hashes = [each.sha256 for each in catalog.images_by_id(workspace.db, ids)]
        recipe = classifier.recipe
        seen = classifier.probabilities(load_levels(workspace, hashes, recipe.image_size, recipe.framing))
        stored = models.predictions_of(workspace.db, model.id, ids)
        np.testing.assert_allclose([stored[each].probs for each in ids], seen, atol=5e-3)  # float16 features


def sets(workspace: Workspace) -> list[features.FeatureSet]:
    rows = workspace.db.query("SELECT id, extractor, revision, dimension FROM feature_sets ORDER BY id")
    return [features.FeatureSet(**dict(row)) for row in rows]


def test_an_export_of_one_size_pads_and_one_of_an_earlier_release_is_rebuilt_squeezed(
    workspace: Workspace, tmp_path: Path
) -> None:
    pixels = wide(5)
    image_id = put(workspace, pixels, 0)
    views.create(workspace.db, "all", {}, [(image_id, 0)])
    result = export(workspace, tmp_path / "new", "cifar10", "all")
    assert "1 of them between black bars" in result.note
    assert planes(tmp_path / "new") == as_square(pixels, 32, "padded").transpose(2, 0, 1).tobytes()
    rebuild(workspace, tmp_path / "new" / "manifest.json", tmp_path / "again")
    assert planes(tmp_path / "again") == planes(tmp_path / "new")
    manifest = (tmp_path / "new" / "manifest.json").read_text(encoding="utf-8")
    earlier = tmp_path / "earlier.json"
    earlier.write_text(manifest.replace(' "framing": "padded",\n', ""), encoding="utf-8")
    assert earlier.read_text(encoding="utf-8") != manifest
    with pytest.raises(
        Exception, match="differs from the file of the manifest"
    ):  # whose hashes are of padded images
        rebuild(workspace, earlier, tmp_path / "squeezed")
    assert planes(tmp_path / "squeezed") == as_square(pixels, 32, "squeezed").transpose(2, 0, 1).tobytes()


def planes(folder: Path) -> bytes:
    """The one training image, wherever it lies in the five batches."""
    return b"".join(
        cifar_pickle.load((folder / f"data_batch_{number}").read_bytes())["data"].tobytes()
        for number in range(1, 6)
    )
