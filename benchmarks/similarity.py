"""Does a generated set grow alike as it grows? Plain generation against contextual diversification.

    python benchmarks/similarity.py [--generator digits] [--number 300] [--repeats 5] [--html curves.html]

Both sets are of one class and as many images, from the same seeds: plain ones from the class's own prompt, the
others from real train images of the class, each used in turn, on their own backgrounds (``--background PROMPT``: on
drawn ones). Real test images of the class stand beside them. Features are the penultimate ones of a classifier,
trained here on the real train images alone unless ``--classifier`` names one. The subsets of one size are drawn
``--repeats`` times; in brackets are the smallest and largest value of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.recipes import RECIPES
from synthaug.generators import load_generator
from synthaug.generators.captions import DIGIT_WORDS
from synthaug.importers.digits import digits_arrays
from synthaug.measures.diversity import MEASURES, Point, curve
from synthaug.measures.fidelity import fid, kid, neighborhoods
from synthaug.measures.memorisation import memorisation
from synthaug.records import GenerationRequest

Images = NDArray[np.uint8]
Curves = dict[str, dict[str, list[Point]]]  # measure -> set -> points


def draw(name: str, requests: list[GenerationRequest], steps: int | None) -> tuple[Images, float]:
    """The images, and the seconds they took once the generator was loaded."""
    generator = load_generator(name, num_inference_steps=steps)
    started = time.perf_counter()
    images = np.stack([each.pixels for each in generator.generate(requests)])
    return images, time.perf_counter() - started


def plain(options: argparse.Namespace) -> tuple[Images, float]:
    requests = [GenerationRequest(options.prompt, options.seed + i) for i in range(options.number)]
    return draw(options.generator, requests, options.steps)


def diversified(options: argparse.Namespace, real: Images) -> tuple[Images, float]:
    requests = [
        GenerationRequest(options.background, options.seed + i, image=real[i % len(real)])
        for i in range(options.number)
    ]
    return draw(f"context:{options.generator}", requests, options.steps)


def measured(features: dict[str, NDArray[np.float32]], options: argparse.Namespace) -> Curves:
    return {
        measure: {
            name: curve(
                rows,
                [each for each in sizes(options.number) if each <= len(rows)],
                options.seed,
                options.repeats,
                function,
            )
            for name, rows in features.items()
        }
        for measure, function in MEASURES.items()
    }


def sizes(number: int) -> list[int]:
    """20, 40, 80 ... and the whole."""
    doubled = [20 * 2**i for i in range(20)]
    return [each for each in doubled if each < number] + [number]


def print_curves(curves: Curves) -> None:
    for measure, sets in curves.items():
        print(f"\n{measure:<18}" + "".join(f"{name:>26}" for name in sets))
        for size in sorted({point.size for points in sets.values() for point in points}):
            cells = {name: next((p for p in points if p.size == size), None) for name, points in sets.items()}
            texts = [f"{p.mean:.4f} [{p.low:.4f}, {p.high:.4f}]" if p else "" for p in cells.values()]
            print(f"{size:<18}" + "".join(f"{text:>26}" for text in texts))


def print_against_real(
    features: dict[str, NDArray[np.float32]], train: NDArray[np.float32], test: NDArray[np.float32], k: int
) -> None:
    head = ("FID", "KID", "precision", "recall", "density", "coverage", "nearer than test", "copies")
    print(
        f"\nagainst {len(test)} real test images of the class, k = {k}; last two: to {len(train)} train images"
    )
    print(f"{'':<18}" + "".join(f"{name:>18}" for name in head))
    for name, rows in features.items():
        near, remembered = neighborhoods(rows, test, k=k), memorisation(rows, train, test)
        mean, spread = kid(rows, test, subset_size=min(100, len(test) // 2), seed=0)
        shares = (
            near.precision,
            near.recall,
            near.density,
            near.coverage,
            remembered.closer,
            remembered.copies,
        )
        texts = [f"{fid(rows, test):.3f}", f"{mean:.4f} ± {spread:.4f}", *(f"{each:.3f}" for each in shares)]
        print(f"{name:<18}" + "".join(f"{text:>18}" for text in texts))


def write_html(curves: Curves, path: str) -> None:
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(curves), subplot_titles=list(curves))
    for column, sets in enumerate(curves.values(), 1):
        for colour, (name, points) in zip(("#3366cc", "#dc3912", "#888888"), sets.items(), strict=True):
            above, below = [p.high - p.mean for p in points], [p.mean - p.low for p in points]
            figure.add_scatter(
                x=[p.size for p in points],
                y=[p.mean for p in points],
                name=name,
                legendgroup=name,
                line_color=colour,
                showlegend=column == 1,
                row=1,
                col=column,
                error_y={"array": above, "arrayminus": below},
            )
    figure.update_xaxes(type="log", title_text="images")
    figure.write_html(path)
    print(f"\n{path}")


def judge(images: Images, labels: NDArray[np.int64], options: argparse.Namespace) -> FittedClassifier:
    if options.classifier:
        return FittedClassifier.load(Path(options.classifier))
    return fit(images, labels, 10, RECIPES["digits"], options.seed, device="cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--generator", default="digits", metavar="NAME", help="draws both sets (default digits)"
    )
    parser.add_argument("--digit", type=int, default=8, metavar="0..9", help="the class (default 8)")
    parser.add_argument(
        "--prompt", metavar="TEXT", help='of the plain set (default "a handwritten digit WORD")'
    )
    parser.add_argument("--background", default="", metavar="TEXT", help="prompt (default: own backgrounds)")
    parser.add_argument("--number", type=int, default=300, metavar="N", help="images a set (default 300)")
    parser.add_argument("--steps", type=int, metavar="N", help="denoising steps (default: the model's)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="subsets of a size (default 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="first seed (default 0)")
    parser.add_argument("-k", type=int, default=5, metavar="K", help="neighbours (default 5)")
    parser.add_argument("--classifier", metavar="FILE", help="a stored classifier (default: trained here)")
    parser.add_argument("--html", metavar="FILE", help="write the curves as a plotly page")
    options = parser.parse_args()
    options.prompt = options.prompt or f"a handwritten digit {DIGIT_WORDS[options.digit]}"
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; {vars(options)}"
    )
    images, labels, is_test = digits_arrays()
    classifier = judge(images[~is_test], labels[~is_test], options)
    real = images[~is_test & (labels == options.digit)]
    sets = {"real": images[is_test & (labels == options.digit)]}
    for name, drawn in (("plain", plain(options)), ("contextual", diversified(options, real))):
        sets[name], seconds = drawn
        print(f"{name}: {options.number / seconds:.1f} images a second", flush=True)
    features: dict[str, NDArray[np.float32]] = {}
    for name, each in sets.items():
        probs, features[name] = classifier.predict(each)
        print(
            f"{name}: the classifier agrees on the class of {(probs.argmax(1) == options.digit).mean():.3f}"
        )
    curves = measured(features, options)
    print_curves(curves)
    test = features.pop("real")
    print_against_real(features, classifier.features(real), test, options.k)
    if options.html:
        write_html(curves, options.html)


if __name__ == "__main__":
    main()
