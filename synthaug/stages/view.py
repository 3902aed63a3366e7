"""Make dataset views: frozen selections of training images. No view deletes an image.

Nothing of the test split ever enters a view: candidates are real training images with a label, and
synthetic images (which have no split but train).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any, get_args

from synthaug.errors import UnknownName, ViewError
from synthaug.names import check_name
from synthaug.stages import leakage
from synthaug.stages.synthetic_pool import Pool, PoolFilter, SyntheticOrder, check_jobs
from synthaug.stages.tag import check_known, images_with
from synthaug.store import catalog, labels, views
from synthaug.store.labels import KnownImage, LabeledImage
from synthaug.workspace import Workspace

Members = dict[int, list[LabeledImage]]
"""Chosen images by class index."""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """How a view is made. Steps apply in the order of the fields; every count is exact, or nothing is made.

    ``base``: the view to start from; None: all real training images with a label. ``exclude_test_duplicates``:
    leave out what nearly repeats a test image (:mod:`synthaug.stages.leakage`), synthetic images too.

    ``keep``: images of a class to keep, by class name. ``fraction``: share of each class to keep, rounded to the
    nearest image (a half to the even one). ``long_tail``: the last class's share of the first one's images:
    class i keeps ``int(largest * long_tail ** (i / (K - 1)))``, ``largest`` being the largest class after the
    steps before; a class cut by ``keep`` may have fewer.

    ``replace``: share of each class's images to replace by synthetic ones, rounded alike. ``add_synthetic``:
    synthetic images to add, by class name. ``images``: these as well, by hash: synthetic or real training images,
    as the class of their label, else the one they were made for; what stands there already is not repeated.
    ``oversample``: repeat images until every class is as large as the largest; ``oversample_classes``: only
    these classes.

    Of the synthetic images for ``replace`` and ``add_synthetic``, each taken once: ``order``: which come first by
    the predictions there are; ``curated``: only those whose class someone (or a rule) has confirmed; ``jobs``:
    only those of these generation jobs, none: of any; ``min_confidence``: only those whose predicted probability
    of the class they enter with is at least this; ``max_ood``: only those at most this far from the real images
    (``ood_real`` of :mod:`synthaug.stages.score`, a rank in 0 .. 1); ``tags``: only those with one of these tags.

    ``without_tags``: nothing with one of these tags enters, real or synthetic, but what ``images`` names.
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

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``from_json`` gives the same spec back."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ViewSpec:
        """How a stored view was made: what an older release did not ask is at its default, other keys are left out."""
        values: dict[str, Any] = {each.name: data[each.name] for each in fields(cls) if each.name in data}
        values |= {name: tuple(each) for name, each in values.items() if isinstance(each, list)}
        return cls(**values)


def make_view(workspace: Workspace, name: str, spec: ViewSpec) -> views.View:
    """Choose the images, and freeze them under ``name``. Raises UserError; then nothing is made."""
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
    """Images of each class of a long tail, ``int(largest * ratio ** (i / (classes - 1)))`` (Cui et al. 2019)."""
    return [int(largest * ratio ** (i / max(1, classes - 1))) for i in range(classes)]


def curated_view(workspace: Workspace, name: str, base: str | None) -> views.View:
    """A view of ``base`` (None: all real training images) and every synthetic image whose class was confirmed.

    Raises ViewError if there is none.
    """
    held = set() if base is None else _ids(workspace, views.by_name(workspace.db, base))
    confirmed = Counter(
        image.class_index
        for image in labels.labeled_images(workspace.db, split="train", origin="synthetic")
        if image.image_id not in held
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
        members = views.members(workspace.db, view.id)
        real = all(member.origin == "real" for member in members)
        if real and len({member.image_id for member in members}) == len(members):
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
            raise ViewError(f"{option} is {share}; it must be above 0 and at most 1")
    for option, limit in (("--min-confidence", spec.min_confidence), ("--max-ood", spec.max_ood)):
        if limit is not None and not 0 <= limit <= 1:
            raise ViewError(f"{option} is {limit}; it must lie in 0 .. 1")
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
            "--job, --tag, --min-confidence and --max-ood say which synthetic images to take; "
            "say how many with --add-synthetic CLASS=N or --replace F"
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
    """Ids of those that nearly repeat a test image."""
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
        raise ViewError(
            f"the image {image.sha256} belongs to the test split; nothing of it may be trained on"
        )
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
                f"--keep {name}={count}: there are only {wanted[position]} real training images of it"
            )
        wanted[position] = count
    if spec.fraction is not None:
        wanted = {position: round(count * spec.fraction) for position, count in wanted.items()}
    if spec.long_tail is not None:
        tail = tail_counts(max(wanted.values()), spec.long_tail, len(classes))
        for position, count in wanted.items():
            if tail[position] > count and classes[position] not in spec.keep:
                raise ViewError(
                    f"--long-tail needs {tail[position]} images of {classes[position]!r}; there are only {count}. "
                    "Make the classes even first, with --keep"
                )
            wanted[position] = min(count, tail[position])
    for position, images in members.items():
        members[position] = _some(images, wanted[position], rng)


def _add_synthetic(
    workspace: Workspace, members: Members, spec: ViewSpec, excluded: set[int], rng: Random
) -> None:
    """Replace and add; ``excluded`` are ids of images that enter otherwise."""
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
    """``count`` of the images, in their order."""
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
            raise ViewError(f"--oversample-class {name}: the view holds no image of it to repeat")
