"""The spatial soft-argmax and what is built on it, against positions computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from synthaug.classifiers.keypoints import KEYPOINTS, KeypointBody, RunningStandardisation, soft_argmax
from synthaug.classifiers.networks import build, fill_pretrained, initialise


def test_a_sharp_heatmap_gives_its_place_and_a_flat_one_the_centre() -> None:
    maps = torch.zeros(1, 2, 4, 8)
    maps[0, 0, 1, 6] = 50.0  # row 1 of 4: -0.25; column 6 of 8: 0.625
    assert soft_argmax(maps)[0].tolist() == pytest.approx([0.625, -0.25, 0, 0], abs=1e-6)
    maps[0, 1, 3, 0] = maps[0, 1, 3, 1] = 50.0  # between two columns
    assert soft_argmax(maps)[0, 2:].tolist() == pytest.approx([-0.75, 0.75], abs=1e-6)


def test_features_move_with_the_image() -> None:
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1))
    body = KeypointBody(backbone, {0: 8, 1: 8}).eval()
    with torch.no_grad():
        body.heatmaps.weight.mul_(2000)  # sharp, so that what lies outside of the square has no weight
        image = torch.zeros(1, 3, 32, 32)
        image[:, :, 12:16, 12:16] = torch.rand(1, 3, 4, 4)
        before, after = body(image), body(image.roll((4, 6), (2, 3)))
    shift = (after - before).view(KEYPOINTS, 2)
    found = shift.abs().sum(1) > 1e-3  # the others lie on the background, at the border
    assert found.sum() > KEYPOINTS // 4
    assert torch.allclose(shift[found].median(0).values, torch.tensor([6 / 16, 4 / 16]), atol=0.02)


def test_a_running_standardisation_keeps_what_a_batch_shares() -> None:
    layer = RunningStandardisation(3).train()
    generator = torch.Generator().manual_seed(0)
    scale, centre = torch.tensor([1.0, 5.0, 0.2]), torch.tensor([0.0, -3.0, 8.0])
    for _ in range(200):
        layer(torch.randn(64, 3, generator=generator) * scale + centre)
    layer.eval()
    moved = layer((centre + scale).expand(4, 3))
    assert torch.allclose(moved, torch.ones(4, 3), atol=0.25)
    before = layer.mean.clone()
    layer(torch.zeros(4, 3))
    assert torch.equal(layer.mean, before)  # prediction changes nothing


def test_the_pretrained_backbone_is_filled_and_used() -> None:
    network = build("efficientnet_lite0_keypoints", 10)
    initialise(network, torch.Generator().manual_seed(0), torch.zeros(1, 3, 64, 64))
    fill_pretrained(network, "efficientnet_lite0_keypoints")
    whole = build("efficientnet_lite0", 10)
    fill_pretrained(whole, "efficientnet_lite0")
    body = whole.body
    assert isinstance(network.body, KeypointBody)
    assert isinstance(body, nn.Sequential)
    image = torch.rand(1, 3, 128, 128)
    backbone = network.body.backbone.eval()
    assert torch.equal(backbone(image), body[: len(backbone)].eval()(image))
    assert network.features(image).shape == (1, 2 * KEYPOINTS) == (1, network.head.in_features)


def test_the_network_of_earlier_landmark_models_is_filled_as_well() -> None:
    earlier, whole = (build(name, 10) for name in ("efficientnet_lite0_places", "efficientnet_lite0"))
    for network, name in ((earlier, "efficientnet_lite0_places"), (whole, "efficientnet_lite0")):
        fill_pretrained(network, name)
    filled, expected = earlier.body.state_dict(), whole.body.state_dict()
    assert expected.keys() <= filled.keys()
    assert all(torch.equal(filled[key], each) for key, each in expected.items())
