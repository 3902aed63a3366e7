from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet18

from synthaug.classifiers.networks import build, initialise, whiten
from synthaug.errors import UnknownName

EACH_KIND = ("small_cnn", "airbench", "resnet18", "efficientnet_b0")
IMAGES = torch.randn(20, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", EACH_KIND)
def test_forward_is_the_head_of_the_features(name: str) -> None:
    network = build(name, 7).eval()
    x = torch.rand(2, 3, 32, 32)
    features = network.features(x)
    assert features.shape == (2, network.head.in_features)
    assert network(x).shape == (2, 7)
    torch.testing.assert_close(network(x), network.head(features))


def test_small_cnn_is_small() -> None:
    assert 100_000 < sum(p.numel() for p in build("small_cnn", 10).parameters()) < 300_000


def test_resnet_differs_from_torchvision_in_stem_and_head_only() -> None:
    ours, theirs = build("resnet18", 10), resnet18(num_classes=10)
    expected = {name: p.shape for name, p in theirs.named_parameters()}
    expected["conv1.weight"] = torch.Size([64, 3, 3, 3])
    found = {name.removeprefix("body."): p.shape for name, p in ours.named_parameters()}
    found |= {f"fc.{name}": found.pop(f"head.{name}") for name in ("weight", "bias")}
    assert found == expected
    stem = ours.body.maxpool(ours.body.conv1(torch.rand(1, 3, 32, 32)))
    assert stem.shape == (1, 64, 32, 32)


@pytest.mark.parametrize("name", EACH_KIND)
def test_initial_weights_depend_on_the_generator_alone(name: str) -> None:
    states = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        network = build(name, 3)
        initialise(network, torch.Generator().manual_seed(5), IMAGES)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_whitening_layer_leaves_patches_uncorrelated() -> None:
    layer = torch.nn.Conv2d(3, 24, 2, bias=False)
    smooth = torch.nn.functional.avg_pool2d(IMAGES, 3, stride=1)
    assert patch_correlation(torch.nn.functional.unfold(smooth, 2)) > 0.1
    whiten(layer, smooth)
    outputs = layer(smooth).detach()[:, :12]
    assert patch_correlation(outputs.flatten(2)) < 0.02
    variances = outputs.movedim(1, 0).flatten(1).var(1)
    assert ((variances > 0.5) & (variances < 1.01)).all()  # a little below 1: see the regularisation


def patch_correlation(values: torch.Tensor) -> float:
    """Mean absolute correlation between the channels of (N, C, L) values."""
    correlation = torch.corrcoef(values.movedim(1, 0).flatten(1))
    return float((correlation - torch.eye(len(correlation))).abs().mean())


@pytest.mark.parametrize(
    ("size", "width", "millions"),  # Tan & Le 2019, table 2: parameters with 1000 classes
    [
        (0, 1280, 5.3),
        (1, 1280, 7.8),
        (2, 1408, 9.2),
        (3, 1536, 12),
        (4, 1792, 19),
        (5, 2048, 30),
        (6, 2304, 43),
        (7, 2560, 66),
    ],
)
def test_efficientnets_have_the_published_sizes(size: int, width: int, millions: float) -> None:
    with torch.device("meta"):
        network = build(f"efficientnet_b{size}", 1000)
    assert network.head.in_features == width
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, rel=0.03)


def test_unknown_network() -> None:
    with pytest.raises(UnknownName, match="no network called 'vit'"):
        build("vit", 10)


def test_efficientnet_trains_on_a_handful_and_predicts_alike_in_batches() -> None:
    from dataclasses import replace

    import numpy as np

    from synthaug.classifiers.fit import fit
    from synthaug.classifiers.recipes import RECIPES

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 64, 64, 3), np.uint8)
    recipe = replace(RECIPES["efficientnet-b0"], epochs=1, image_size=64, batch_size=4, mixed_precision=False)
    fitted = fit(images, np.arange(8) % 2, 2, recipe, 0)
    probabilities, features = fitted.predict(images)
    assert features.shape == (8, 1280)
    np.testing.assert_allclose(probabilities[:1], fitted.probabilities(images[:1]), atol=1e-5)


def test_dropping_is_seeded_by_its_own_generator_and_off_outside() -> None:
    import torch

    from synthaug.classifiers.networks import build, dropping

    network = build("small_cnn", 3).eval()
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain = network(x)
    drawn = []
    for torch_seed, seed in ((1, 7), (2, 7), (3, 8)):
        torch.manual_seed(torch_seed)
        with dropping(network, 0.3, torch.Generator().manual_seed(seed)):
            drawn.append(network(x))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(network(x), plain)
