"""The model of landmarks: its loss, its mirror, its angles, against the scheme's own geometry and drawn phantoms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthaug.classifiers.landmarks import (
    EXTENT,
    LANDMARK_RECIPES,
    READINGS,
    SMALL,
    FittedLandmarks,
    LandmarkLoss,
    angles_of,
    find_landmark_recipe,
    fit_landmarks,
    mirrored_shares,
    output_names,
)
from synthaug.classifiers.similarity import variants
from synthaug.errors import UnknownName, UserError
from synthaug.importers.hip.phantom import hip_phantom
from synthaug.landmarks.geometry import measure, mirrored
from synthaug.landmarks.scheme import load_scheme

HIP, SKULL = load_scheme("hip"), load_scheme("cephalometry")
TINY = replace(SMALL, network="small_cnn", pretrained=False, image_size=32, epochs=2, cpu_threads=1)


def phantoms(count: int, size: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (N, S, S, 3), landmarks (N, 10) in shares, true angles (N, 2)."""
    made = [hip_phantom((7, 0, i), size) for i in range(count)]
    rows = [[value for place in p.landmarks.values() for value in place] for p in made]
    angles = np.array([(p.left_angle, p.right_angle) for p in made])
    return np.array([p.pixels for p in made]), np.array(rows) / size, angles


def places(scheme: object, row: np.ndarray) -> dict[str, tuple[float, ...]]:
    """One row by name."""
    found: dict[str, tuple[float, ...]] = {}
    for name, value in zip(output_names(scheme), row.tolist(), strict=True):  # type: ignore[arg-type]
        landmark = name.partition(".")[0]
        found[landmark] = (*found.get(landmark, ()), value)
    return found


@pytest.mark.parametrize("scheme", [HIP, SKULL], ids=["hip", "skull"])
def test_differentiable_angles_are_the_schemes_own(scheme: object) -> None:
    rows = np.random.default_rng(0).random((20, len(output_names(scheme))))  # type: ignore[arg-type]
    found = angles_of(scheme, torch.tensor(rows)).numpy()  # type: ignore[arg-type]
    expected = [list(measure(scheme, places(scheme, row)).values()) for row in rows]  # type: ignore[arg-type]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_phantoms_landmarks_make_its_angles() -> None:
    _, rows, angles = phantoms(10)
    np.testing.assert_allclose(angles_of(HIP, torch.tensor(rows)).numpy(), angles, atol=1e-4)


def test_the_mirror_swaps_sides_as_the_geometry_does() -> None:
    _, rows, angles = phantoms(5)
    flipped = mirrored_shares(HIP, rows)
    for row, mirror in zip(rows, flipped, strict=True):
        expected = mirrored(places(HIP, row), 1.0)
        for name, place in places(HIP, mirror).items():
            assert place == pytest.approx(expected[name])
    np.testing.assert_allclose(angles_of(HIP, torch.tensor(flipped)).numpy(), angles[:, ::-1], atol=1e-4)
    np.testing.assert_allclose(mirrored_shares(HIP, flipped), rows)


def test_the_loss_weighs_points_radii_and_angles_as_published() -> None:
    rows = torch.tensor(phantoms(8)[1], dtype=torch.float32)
    mean, std = rows.mean(0), rows.std(0)
    loss = LandmarkLoss(HIP, (rows - mean) / std, mean, std)
    everything = torch.arange(8)
    assert float(loss.loss(loss.targets, everything)) == pytest.approx(0, abs=1e-6)
    radius = loss.targets.clone()
    radius[:, output_names(HIP).index("left_head.radius")] += 3  # no angle changes; smooth L1 of 3 is 2.5
    assert float(loss.loss(radius, everything)) == pytest.approx(1.5 * 2.5 / 2, rel=1e-4)
    moved = loss.targets + 0
    heights = [i for i, name in enumerate(output_names(HIP)) if name.endswith(".y")]
    moved[:, heights] += 0.005 / std[heights]  # everything moves down alike: no angle changes
    points = 0.3 * float(((0.005 / std[heights]) ** 2 / 2).sum()) / 8
    assert float(loss.loss(moved, everything)) == pytest.approx(points, rel=1e-2)


def test_a_landmark_model_learns_loads_again_and_estimates_its_error(tmp_path: Path) -> None:
    images, rows, _ = phantoms(40, 32)
    errors: list[float] = []
    recipe = replace(TINY, epochs=6)
    model = fit_landmarks(images, rows, HIP, recipe, 0, progress=lambda each: errors.append(each["loss"]))
    assert errors[-1] < 0.7 * errors[0]
    model.save(tmp_path / "model.safetensors")
    again = FittedLandmarks.load(tmp_path / "model.safetensors")
    assert again.revision == model.revision
    assert again.scheme == HIP
    found, doubt = again.predict_with_doubt(images[:3])
    np.testing.assert_allclose(found, model.predict(images[:3]), atol=1e-6)
    assert found.shape == doubt.shape == (3, 10)
    assert (doubt > 0).all()
    alone, _ = again.predict_with_doubt(images[1:2])
    np.testing.assert_allclose(alone, found[1:2], atol=1e-5)


def test_the_prediction_is_the_mean_of_readings_moved_back() -> None:
    """A network that always gives the same point reads it wherever the image was moved from."""
    images, rows, _ = phantoms(4, 32)
    model = fit_landmarks(images, rows, HIP, replace(TINY, epochs=1), 0)
    with torch.no_grad():
        model.network.head.weight.zero_()
        model.network.head.bias.zero_()
    constant = np.array(model.training["targets"]["mean"])[None]
    readings = [constant]
    for number in range(READINGS):
        readings.append(variants(images[:1], number, EXTENT, alike=True)[1].moved_back(constant, model.names))
    found, doubt = model.predict_with_doubt(images[:1])
    np.testing.assert_allclose(found, np.mean(readings, 0), atol=1e-6)
    np.testing.assert_allclose(doubt, np.std(readings, 0), atol=1e-6)


def test_published_and_small_recipes_are_there_by_name() -> None:
    assert set(LANDMARK_RECIPES) == {"landmarks", "efficientnet-b0", "efficientnet-b7"}
    assert find_landmark_recipe("efficientnet-b7").image_size == 600
    with pytest.raises(UnknownName, match="efficientnet-b7"):
        find_landmark_recipe("b8")


@pytest.mark.parametrize("change", [{"flip": True}, {"crop_padding": 2}, {"flip_average": True}])
def test_recipes_that_move_pixels_but_not_landmarks_are_refused(change: dict[str, object]) -> None:
    images, rows, _ = phantoms(4, 32)
    with pytest.raises(UserError, match="not their landmarks"):
        fit_landmarks(images, rows, HIP, replace(TINY, **change), 0)  # type: ignore[arg-type]
