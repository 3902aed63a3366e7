from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from synthaug.generator_training.photo_captions import (
    COLOURS,
    TONES,
    Fillers,
    Look,
    colour_name,
    look,
    photo_caption,
)

NOTHING = Fillers({}, ("in the park",))
NAMED = {
    (0, 0, 0): "black",
    (255, 255, 255): "white",
    (128, 128, 128): "gray",
    (220, 30, 30): "red",
    (240, 140, 20): "orange",
    (120, 80, 55): "brown",
    (235, 220, 40): "yellow",
    (40, 160, 60): "green",
    (90, 100, 60): "green",
    (60, 110, 210): "blue",
    (150, 60, 200): "purple",
}


@pytest.mark.parametrize(("colour", "name"), NAMED.items())
def test_colours_have_the_names_a_person_gives_them(colour: tuple[int, int, int], name: str) -> None:
    assert colour_name(np.full((5, 3), colour, np.float64)) == name


def test_subject_background_and_brightness_are_measured_apart() -> None:
    image = np.full((32, 32, 3), (40, 160, 60), np.uint8)
    image[8:24, 8:24] = (220, 30, 30)
    assert look(image) == Look("", "red", "green")
    assert look(image // 3).tone == "dark"
    assert look(255 - (255 - image) // 4).tone == "bright"


def test_every_caption_names_the_class_and_only_what_was_measured() -> None:
    rng = np.random.default_rng(0)
    seen = Look("dark", "red", "green")
    captions = [photo_caption("automobile", seen, rng, NOTHING) for _ in range(500)]
    assert all("automobile" in each or "car" in each.split(" ") or "car," in each for each in captions)
    words = Counter(word.strip(",") for each in captions for word in each.split())
    assert words["dark"]
    assert words["red"]
    assert words["green"]
    assert not [word for word in (*TONES, *COLOURS) if word not in ("dark", "red", "green") and words[word]]
    assert not any("  " in each or each.endswith((",", " ")) for each in captions)


def test_kinds_of_a_class_stand_before_its_noun_only() -> None:
    rng = np.random.default_rng(0)
    fillers = Fillers({"cat": ("Siamese",)}, ("on the sofa",))
    cats = " | ".join(photo_caption("cat", Look("", "", ""), rng, fillers) for _ in range(200))
    assert "Siamese cat" in cats
    assert "on the sofa" in cats
    assert "Siamese" not in " ".join(photo_caption("dog", Look("", "", ""), rng, fillers) for _ in range(200))
