"""Template expansion: every prompt of the shipped cat template, beside dynamicprompts.

    python -m benchmarks.peers.templates

dynamicprompts has neither slot values nor numbers of prompts; ours records both for every prompt.
"""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

LISTS = ("breed", "preposition", "furniture")


def prepare(data: Path) -> None:
    from synthaug.templates import shipped_lists

    for name in LISTS:
        (data / f"{name}.txt").write_text("\n".join(shipped_lists()[name]), encoding="utf-8")


def values(data: Path) -> dict[str, list[str]]:
    """The words of the three lists; each once, as dynamicprompts drops duplicates."""
    texts = {name: (data / f"{name}.txt").read_text(encoding="utf-8").splitlines() for name in LISTS}
    return {name: list(dict.fromkeys(words)) for name, words in texts.items()}


def ours(data: Path) -> Action:
    from synthaug.templates import Template

    lists = values(data)

    def work() -> dict[str, float]:
        template = Template.parse("<BREED> cat <PREPOSITION> the <FURNITURE>", lists)
        return {"prompts": len(list(template))}

    return work


def dynamicprompts(data: Path) -> Action:
    from dynamicprompts.generators import CombinatorialPromptGenerator

    lists = values(data)
    template = "{} cat {} the {}".format(*("{" + "|".join(words) + "}" for words in lists.values()))
    most = math.prod(map(len, lists.values()))

    def work() -> dict[str, float]:
        prompts = CombinatorialPromptGenerator().generate(template, max_prompts=most)
        return {"prompts": len(list(prompts))}

    return work


def bare(data: Path) -> Action:
    lists = values(data)

    def work() -> dict[str, float]:
        return {"prompts": len([f"{b} cat {p} the {f}" for b, p, f in product(*lists.values())])}

    return work


CLAIM = Claim(
    "templates",
    "Expanding a prompt template",
    (
        Side("synthaug", ours, role="ours"),
        Side("dynamicprompts", dynamicprompts, ("dynamicprompts==0.31.0",)),
        Side("floor", bare, role="floor"),
    ),
    (Row("seconds", "All prompts of the cat template"),),
    floor="`itertools.product` with an f-string, which keeps neither slots nor numbers",
    notes="Ours keeps the slot values and the number of every prompt; dynamicprompts keeps only the texts.",
    same=("prompts",),
    prepare=prepare,
)

if __name__ == "__main__":
    main(CLAIM)
