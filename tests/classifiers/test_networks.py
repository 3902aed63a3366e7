from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet18

from synthaug.classifiers.networks import NETWORKS, build, initialise, whiten
from synthaug.errors import UnknownName

IMAGES = torch.randn(20, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NETWORKS)
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


@pytest.mark.parametrize("name", NETWORKS)
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


def test_unknown_network() -> None:
    with pytest.raises(UnknownName, match="no network called 'vit'"):
        build("vit", 10)
