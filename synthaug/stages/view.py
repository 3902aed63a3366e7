"""Make dataset views: frozen selections of training images. No view deletes an image.

Nothing of the test split ever enters a view: candidates are real training images with a label, and
synthetic images (which have no split but train).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Literal, get_args

from synthaug.errors import UnknownName, ViewError
from synthaug.store import catalog, labels, models, views
from synthaug.store.labels import LabeledImage
from synthaug.workspace import Workspace

SyntheticOrder = Literal["random", "confident", "least-confident", "entropy", "margin"]
Members = dict[int, list[LabeledImage]]
"""Chosen images by class index."""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """How a view is made. Steps apply in the order of the fields.

    ``keep``: real images of a class to keep, by class name. ``long_tail``: the last class's share of the
    first one's images; class i keeps ``int(largest * long_tail ** (i / (K - 1)))``. ``fraction``: share of each
    class to keep. ``replace``: share of each class's images to replace by synthetic ones. ``add_synthetic``:
    synthetic images to add, by class name. ``oversample``: repeat images until every class is as large as
    the largest. ``curated``: take only synthetic images whose class someone (or a rule) has confirmed.
    """

    keep: Mapping[str, int] = field(default_factory=dict)
    long_tail: float | None = None
    fraction: float | None = None
    replace: float | None = None
    add_synthetic: Mapping[str, int] = field(default_factory=dict)
    oversample: bool = False
    curated: bool = False
    order: SyntheticOrder = "random"
    seed: int = 0
    base: str | None = None


def make_view(workspace: Workspace, name: str, spec: ViewSpec) -> views.View:
    """Choose the images, and freeze them under ``name``. Raises ViewError, UnknownName; then nothing is made."""
    if not name.strip():
        raise ViewError("a view needs a name")
    _check(workspace, spec)
    rng = Random(spec.seed)  # noqa: S311
    members = _base(workspace, spec)
    _reduce(workspace.classes, members, spec, rng)
    pool = _Pool(workspace, spec, rng)
    _replace(workspace.classes, members, spec, pool, rng)
    for class_name, count in spec.add_synthetic.items():
        position = catalog.class_index(workspace.db, class_name)
        members[position] = members[position] + pool.take(position, count, class_name)
    if spec.oversample:
        _oversample(members)
    chosen = [
        (image.image_id, image.class_index) for position in sorted(members) for image in members[position]
    ]
    if not chosen:
        raise ViewError("the view would be empty; import labeled training images first")
    return views.create(workspace.db, name, asdict(spec), chosen)


def curated_view(workspace: Workspace, name: str, base: str | None) -> views.View:
    """A view of ``base`` (None: all real training images) and every synthetic image whose class was confirmed.

    Raises ViewError if there is none.
    """
    confirmed = Counter(
        image.class_index for image in labels.labeled_images(workspace.db, split="train", origin="synthetic")
    )
    if not confirmed:
        raise ViewError(
            "no synthetic image has a class yet; label some on the Label page, or: synthaug label --accept-above 0.9"
        )
    classes = workspace.classes
    added = {classes[position]: count for position, count in sorted(confirmed.items())}
    return make_view(workspace, name, ViewSpec(add_synthetic=added, curated=True, base=base))


def baseline_view(workspace: Workspace) -> views.View:
    """The newest view of real images, none repeated; all real training images where there is none yet."""
    for view in views.all_views(workspace.db):
        real = all(member.origin == "real" for member in views.members(workspace.db, view.id))
        if real and not view.spec["oversample"]:
            return view
    return make_view(workspace, "real", ViewSpec())


def oversampled_view(workspace: Workspace, base: views.View) -> views.View | None:
    """``base`` with its images repeated until every class is as large as the largest; None if they are already.

    The cheapest remedy for imbalance, and so the control that synthetic images have to beat.
    """
    counts = [count for count in views.counts(workspace.db, base.id).values() if count]
    if min(counts) == max(counts):
        return None
    name = f"{base.name}-oversampled"
    if name in {view.name for view in views.all_views(workspace.db)}:
        return views.by_name(workspace.db, name)
    return make_view(workspace, name, ViewSpec(base=base.name, oversample=True))


def _check(workspace: Workspace, spec: ViewSpec) -> None:
    for option, share in (
        ("--long-tail", spec.long_tail),
        ("--fraction", spec.fraction),
        ("--replace", spec.replace),
    ):
        if share is not None and not 0 < share <= 1:
            raise ViewError(f"{option} is {share}; it must lie above 0 and at most at 1")
    if spec.order not in get_args(SyntheticOrder):
        raise UnknownName("order of synthetic images", spec.order, get_args(SyntheticOrder))
    for option, asked in (("--keep", spec.keep), ("--add-synthetic", spec.add_synthetic)):
        for class_name, count in asked.items():
            catalog.class_index(workspace.db, class_name)
            if count < 0:
                raise ViewError(f"{option} {class_name}={count}: the number of images cannot be negative")


def _base(workspace: Workspace, spec: ViewSpec) -> Members:
    members: Members = {position: [] for position in range(len(workspace.classes))}
    if spec.base is None:
        for image in labels.labeled_images(workspace.db, split="train", origin="real"):
            members[image.class_index].append(image)
        return members
    for member in views.members(workspace.db, views.by_name(workspace.db, spec.base).id):
        image = LabeledImage(member.image_id, member.sha256, member.class_index, member.origin)
        members[member.class_index].append(image)
    return members


def _reduce(classes: Sequence[str], members: Members, spec: ViewSpec, rng: Random) -> None:
    largest = max(len(images) for images in members.values())
    for position, images in members.items():
        name = classes[position]
        wanted = spec.keep.get(name, len(images))
        if wanted > len(images):
            raise ViewError(
                f"--keep {name}={wanted}: there are only {len(images)} real training images of it"
            )
        if spec.long_tail is not None:
            tail = int(largest * spec.long_tail ** (position / max(1, len(classes) - 1)))
            if tail > len(images):
                raise ViewError(f"--long-tail needs {tail} images of {name!r}; there are only {len(images)}")
            wanted = min(wanted, tail)
        if spec.fraction is not None:
            wanted = round(wanted * spec.fraction)
        members[position] = _some(images, wanted, rng)


def _replace(classes: Sequence[str], members: Members, spec: ViewSpec, pool: _Pool, rng: Random) -> None:
    if spec.replace is None:
        return
    for position, images in members.items():
        count = round(len(images) * spec.replace)
        kept = _some(images, len(images) - count, rng)
        members[position] = kept + pool.take(position, count, classes[position])


def _some(images: list[LabeledImage], count: int, rng: Random) -> list[LabeledImage]:
    """``count`` of the images, in their order."""
    if count == len(images):
        return images
    return [images[i] for i in sorted(rng.sample(range(len(images)), count))]


def _oversample(members: Members) -> None:
    largest = max(len(images) for images in members.values())
    for position, images in members.items():
        if images:
            times, rest = divmod(largest, len(images))
            members[position] = images * times + images[:rest]


class _Pool:
    """Synthetic images by class, best first in the order asked for; each is given out once."""

    def __init__(self, workspace: Workspace, spec: ViewSpec, rng: Random) -> None:
        candidates = labels.labeled_images(workspace.db, split="train", origin="synthetic")
        if not spec.curated:
            candidates += labels.prompted_images(workspace.db)
        rng.shuffle(candidates)
        keys = _order_keys(workspace, spec.order, [image.image_id for image in candidates])
        self._images: Members = {}
        for image in sorted(candidates, key=lambda image: keys.get(image.image_id, 0.0)):
            self._images.setdefault(image.class_index, []).append(image)
        self._kind = "confirmed synthetic" if spec.curated else "synthetic"

    def take(self, position: int, count: int, class_name: str) -> list[LabeledImage]:
        """The next ``count`` images of a class. Raises ViewError if there are not so many."""
        left = self._images.get(position, [])
        if count > len(left):
            raise ViewError(
                f"{count} {self._kind} images of {class_name!r} are asked for; there are {len(left)}. "
                f"Generate more with: synthaug generate --label {class_name!r}"
            )
        self._images[position] = left[count:]
        return left[:count]


def _order_keys(workspace: Workspace, order: SyntheticOrder, ids: list[int]) -> dict[int, float]:
    """A sort key an image, low first; empty for random."""
    if order == "random":
        return {}
    from synthaug.measures import acquisition

    model = models.predicting(workspace.db)
    predicted = {} if model is None else models.predictions_of(workspace.db, model.id, ids)
    missing = len(ids) - len(predicted)
    if missing:
        raise ViewError(
            f"--order {order} needs predictions; {missing} images have none. Run: synthaug predict"
        )
    if not ids:
        return {}
    import numpy as np

    probs = np.stack([predicted[each].probs for each in ids])
    keys = {
        "confident": -probs.max(axis=1),
        "least-confident": probs.max(axis=1),
        "entropy": -acquisition.entropy(probs),
        "margin": -acquisition.margin(probs),
    }[order]
    return dict(zip(ids, map(float, keys), strict=True))
