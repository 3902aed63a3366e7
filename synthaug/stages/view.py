"""Creating dataset views: frozen selections of training images.

Images of the test split never enter a view: candidates are labeled real training images, and synthetic images, which
always belong to the training split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import get_args

from synthaug.errors import UnknownName, ViewError
from synthaug.names import check_name
from synthaug.parsing import JsonRecord
from synthaug.stages import leakage
from synthaug.stages.synthetic_pool import Pool, PoolFilter, SyntheticOrder, check_jobs
from synthaug.stages.tag import check_known, images_with
from synthaug.store import catalog, labels, views
from synthaug.store.labels import KnownImage, LabeledImage
from synthaug.workspace import Workspace

Members = dict[int, list[LabeledImage]]
"""Chosen images by class index."""


@dataclass(frozen=True, slots=True)
class ViewSpec(JsonRecord):
    """How a view is selected. The steps are applied in the order of the fields; every count is exact.

    ``base`` is the view to start from; None stands for all labeled real training images. ``exclude_test_duplicates``
    leaves out near-duplicates of test images (:mod:`synthaug.stages.leakage`), also among synthetic images.

    ``keep`` is the number of images to keep, by class name. ``fraction`` is the share of each class to keep, rounded
    to the nearest image (a half to the even number). ``long_tail`` is the ratio of the last class to the first: class
    i keeps ``int(largest * long_tail ** (i / (K - 1)))`` images, where ``largest`` is the size of the largest class
    after the previous steps; a class that ``keep`` reduced may have fewer.

    ``replace`` is the share of images of each class to replace by synthetic ones, rounded in the same way.
    ``add_synthetic`` is the number of synthetic images to add, by class name. ``images`` are hashes of further
    synthetic or real training images to add with the class of their label, or else the prompted one; images that the
    view already has are not repeated. ``oversample`` repeats images until every class is as large as the largest, and
    ``oversample_classes`` does so for these classes only.

    ``replace`` and ``add_synthetic`` take each synthetic image once, in the given ``order``. ``curated`` limits them
    to images with a confirmed class, ``jobs`` to these generation jobs (empty: all), ``min_confidence`` to a predicted
    probability (0..1) of their class of at least this, ``max_ood`` to an out-of-distribution rank (0..1) among the
    real images (``ood_real`` of :mod:`synthaug.stages.score`) of at most this, and ``tags`` to images with one of
    these tags.

    ``without_tags`` leaves out real and synthetic images with one of these tags, except for those in ``images``.
    """

    base: str | None = None
    exclude_test_duplicates: bool = False
    keep: Mapping[str, int] = field(default_factory=dict)
    fraction: float | None = None
    long_tail: float | None = None
    replace: float | None = None
    add_synthetic: Mapping[str, int] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    oversample: bool = False
    oversample_classes: tuple[str, ...] = ()
    order: SyntheticOrder = "random"
    curated: bool = False
    jobs: tuple[int, ...] = ()
    min_confidence: float | None = None
    max_ood: float | None = None
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    seed: int = 0


def make_view(workspace: Workspace, name: str, spec: ViewSpec) -> views.View:
    """Select the images and freeze them under ``name``. Raises UserError, without creating a view."""
    name = check_name(name, "a view")
    _check(workspace, spec)
    rng = Random(spec.seed)  # noqa: S311
    members = _base(workspace, spec)
    picked = _picked(workspace, spec, members)
    _reduce(workspace.classes, members, spec, rng)
    _add_synthetic(workspace, members, spec, {image.image_id for image in picked}, rng)
    for image in picked:
        members[image.class_index].append(image)
    _oversample(workspace.classes, members, spec)
    chosen = [
        (image.image_id, image.class_index) for position in sorted(members) for image in members[position]
    ]
    if not chosen:
        raise ViewError("the view would be empty; import labeled training images first")
    return views.create(workspace.db, name, spec.to_json(), chosen)


def tail_counts(largest: int, ratio: float, classes: int) -> list[int]:
    """The number of images of each class of a long tail, ``int(largest * ratio ** (i / (classes - 1)))`` (Cui 2019)."""
    return [int(largest * ratio ** (i / max(1, classes - 1))) for i in range(classes)]


def curated_view(workspace: Workspace, name: str, base: str | None) -> views.View:
    """Create a view of ``base`` (None: all real training images) and all synthetic images with a confirmed class.

    Raises ViewError if there are no such synthetic images.
    """
    held = set() if base is None else _ids(workspace, views.by_name(workspace.db, base))
    confirmed = Counter(
        image.class_index
        for image in labels.labeled_images(workspace.db, split="train", origin="synthetic")
        if image.image_id not in held
    )
    if not confirmed:
        raise ViewError(
            "no synthetic image is labeled with a class; label some on the Label page, or run: "
            "synthaug label --accept-above 0.9"
        )
    classes = workspace.classes
    added = {classes[position]: count for position, count in sorted(confirmed.items())}
    return make_view(workspace, name, ViewSpec(add_synthetic=added, curated=True, base=base))


def baseline_view(workspace: Workspace) -> views.View:
    """The newest view of real images without repeats; if there is none, it is created from all of them."""
    for view in views.all_views(workspace.db):
        members = views.members(workspace.db, view.id)
        real = all(member.origin == "real" for member in members)
        if real and len({member.image_id for member in members}) == len(members):
            return view
    return make_view(workspace, "real", ViewSpec())


def oversampled_view(workspace: Workspace, base: views.View) -> views.View | None:
    """A view of ``base`` in which every class is oversampled to the size of the largest; None if all are equal.

    Oversampling is the simplest remedy for imbalance, and therefore the control for synthetic images.
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
            raise ViewError(f"{option} is {share}; it must be above 0 and at most 1")
    for option, limit in (("--min-confidence", spec.min_confidence), ("--max-ood", spec.max_ood)):
        if limit is not None and not 0 <= limit <= 1:
            raise ViewError(f"{option} is {limit}; it must be in 0 .. 1")
    if spec.order not in get_args(SyntheticOrder):
        raise UnknownName("order of synthetic images", spec.order, get_args(SyntheticOrder))
    for option, asked in (("--keep", spec.keep), ("--add-synthetic", spec.add_synthetic)):
        for class_name, count in asked.items():
            catalog.class_index(workspace.db, class_name)
            if count < 0:
                raise ViewError(f"{option} {class_name}={count}: the number of images cannot be negative")
    for class_name in spec.oversample_classes:
        catalog.class_index(workspace.db, class_name)
    check_jobs(workspace, spec.jobs)
    check_known(workspace, (*spec.tags, *spec.without_tags))
    filtered = bool(spec.jobs or spec.tags) or spec.min_confidence is not None or spec.max_ood is not None
    if filtered and spec.replace is None and not spec.add_synthetic:
        raise ViewError(
            "--job, --tag, --min-confidence and --max-ood select synthetic images; "
            "give their number with --add-synthetic CLASS=N or --replace F"
        )


def _base(workspace: Workspace, spec: ViewSpec) -> Members:
    members: Members = {position: [] for position in range(len(workspace.classes))}
    if spec.base is None:
        held = labels.labeled_images(workspace.db, split="train", origin="real")
    else:
        held = [
            LabeledImage(member.image_id, member.sha256, member.class_index)
            for member in views.members(workspace.db, views.by_name(workspace.db, spec.base).id)
        ]
    left_out = images_with(workspace, spec.without_tags)
    if spec.exclude_test_duplicates:
        left_out |= _test_duplicates(workspace, held)
    for image in held:
        if image.image_id not in left_out:
            members[image.class_index].append(image)
    return members


def _ids(workspace: Workspace, view: views.View) -> set[int]:
    return {member.image_id for member in views.members(workspace.db, view.id)}


def _test_duplicates(workspace: Workspace, images: Sequence[LabeledImage]) -> set[int]:
    """Ids of the images that are near-duplicates of test images."""
    hashes = {image.image_id: image.sha256 for image in images}
    return {near.image_id for near in leakage.near_test_images(workspace, hashes)}


def _picked(workspace: Workspace, spec: ViewSpec, members: Members) -> list[LabeledImage]:
    """The images asked for by hash that the base does not hold, in the order asked for."""
    known = labels.by_hash(workspace.db, list(dict.fromkeys(spec.images)))
    missing = [sha256 for sha256 in dict.fromkeys(spec.images) if sha256 not in known]
    if missing:
        raise ViewError(
            f"{len(missing)} of the {len(set(spec.images))} images asked for are not here, the first is "
            f"{missing[0]!r}; give the whole SHA-256 of images of this workspace"
        )
    held = {image.image_id for images in members.values() for image in images}
    picked = [_with_class(image) for image in known.values() if image.image_id not in held]
    order = {sha256: i for i, sha256 in enumerate(dict.fromkeys(spec.images))}
    picked.sort(key=lambda image: order[image.sha256])
    if spec.exclude_test_duplicates and (near := _test_duplicates(workspace, picked)):
        first = next(image.sha256 for image in picked if image.image_id in near)
        raise ViewError(
            f"{len(near)} of the images asked for nearly repeat test images, the first is {first}; leave them out"
        )
    return picked


def _with_class(image: KnownImage) -> LabeledImage:
    if image.split == "test":
        raise ViewError(f"the image {image.sha256} belongs to the test split, which is never trained on")
    if image.class_index is None:
        state = {"reject": "was rejected", "unsure": "is marked unsure"}.get(
            image.value or "", "has no label"
        )
        raise ViewError(f"the image {image.sha256} {state}, so it has no class; label it, or leave it out")
    return LabeledImage(image.image_id, image.sha256, image.class_index)


def _reduce(classes: Sequence[str], members: Members, spec: ViewSpec, rng: Random) -> None:
    wanted = {position: len(images) for position, images in members.items()}
    for name, count in spec.keep.items():
        position = classes.index(name)
        if count > wanted[position]:
            raise ViewError(
                f"--keep {name}={count}: this class has only {wanted[position]} real training images"
            )
        wanted[position] = count
    if spec.fraction is not None:
        wanted = {position: round(count * spec.fraction) for position, count in wanted.items()}
    if spec.long_tail is not None:
        tail = tail_counts(max(wanted.values()), spec.long_tail, len(classes))
        for position, count in wanted.items():
            if tail[position] > count and classes[position] not in spec.keep:
                raise ViewError(
                    f"--long-tail needs {tail[position]} images of {classes[position]!r}, but there are only {count}; "
                    "balance the classes first with --keep"
                )
            wanted[position] = min(count, tail[position])
    for position, images in members.items():
        members[position] = _some(images, wanted[position], rng)


def _add_synthetic(
    workspace: Workspace, members: Members, spec: ViewSpec, excluded: set[int], rng: Random
) -> None:
    """Apply the steps ``replace`` and ``add_synthetic``; ``excluded`` are ids of images that are added by hash."""
    if spec.replace is None and not spec.add_synthetic:
        return
    classes = workspace.classes
    held = {image.image_id for images in members.values() for image in images}
    asked = {classes.index(name) for name in spec.add_synthetic}
    wanted = PoolFilter(spec.order, spec.curated, spec.jobs, spec.min_confidence, spec.max_ood, spec.tags)
    excluded = held | excluded | images_with(workspace, spec.without_tags)
    pool = Pool(workspace, wanted, asked if spec.replace is None else set(members), excluded, rng)
    if spec.exclude_test_duplicates:
        pool.drop(_test_duplicates(workspace, pool.images()))
    if spec.replace is not None:
        for position, images in members.items():
            count = round(len(images) * spec.replace)
            kept = _some(images, len(images) - count, rng)
            members[position] = kept + pool.take(position, count, classes[position])
    for class_name, count in spec.add_synthetic.items():
        position = classes.index(class_name)
        members[position] = members[position] + pool.take(position, count, class_name)


def _some(images: list[LabeledImage], count: int, rng: Random) -> list[LabeledImage]:
    """A random selection of ``count`` images, in their order."""
    if count == len(images):
        return images
    return [images[i] for i in sorted(rng.sample(range(len(images)), count))]


def _oversample(classes: Sequence[str], members: Members, spec: ViewSpec) -> None:
    largest = max(len(images) for images in members.values())
    repeated = spec.oversample_classes or (classes if spec.oversample else ())
    for name in repeated:
        position = classes.index(name)
        images = members[position]
        if images:
            times, rest = divmod(largest, len(images))
            members[position] = images * times + images[:rest]
        elif name in spec.oversample_classes:
            raise ViewError(f"--oversample-class {name}: the view has no images of this class to repeat")
