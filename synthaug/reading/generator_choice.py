"""Choosing a generator: the available generators, their model cards and their vocabularies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from synthaug.errors import UserError
from synthaug.generators import CONTEXT_PREFIX
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import AUGMENTATION, HUB_ID, SHIPPED, ModelFolder, find_model
from synthaug.generators.hub import INDEX
from synthaug.stages.finetune import list_finetuned
from synthaug.stages.generator_names import locate, made_here, name_of
from synthaug.workspace import Workspace

Kind = Literal["shipped", "fine-tuned", "trained", "folder", "hub"]

FILLERS = frozenset(
    {"a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "it", "its", "of", "on"}
) | {
    *("or", "that", "the", "this", "to", "with"),
}
"""Function words, which no image shows; they are not marked as unknown."""
WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class GeneratorChoice:
    """A generator; ``size`` is that of its folder in bytes, or None if it is not on this machine."""

    name: str
    label: str
    card: ModelCard
    kind: Kind
    size: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a prompt: a word that the model knows, one that it does not know, or other text ("plain")."""

    text: str
    state: Literal["known", "unknown", "plain"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of the captions that a model was trained with, in lower case, and the limit of its text encoder."""

    terms: frozenset[str]  # words, and phrases of several words
    read: Callable[[str], int]  # prompt -> number of its characters that are read

    def spans(self, text: str) -> list[Span]:
        """The parts of a prompt, in which the longest known phrases are marked; case is ignored."""
        words = list(WORD.finditer(text))
        longest = max((len(WORD.findall(term)) for term in self.terms), default=1)
        found: list[Span] = []
        at = index = 0
        while index < len(words):
            length, state = self._at(text, words, index, longest)
            start, end = words[index].start(), words[index + length - 1].end()
            if start > at:
                found.append(Span(text[at:start], "plain"))
            found.append(Span(text[start:end], state))
            at, index = end, index + length
        return [*found, Span(text[at:], "plain")] if at < len(text) else found

    def _at(
        self, text: str, words: list[re.Match[str]], index: int, longest: int
    ) -> tuple[int, Literal["known", "unknown", "plain"]]:
        for length in range(min(longest, len(words) - index), 0, -1):
            stretch = text[words[index].start() : words[index + length - 1].end()]
            if " ".join(stretch.casefold().split()) in self.terms:
                return length, "known"
        return 1, "plain" if words[index].group().casefold() in FILLERS else "unknown"


def choices(workspace: Workspace) -> list[GeneratorChoice]:
    """The generators that need no download: shipped, then fine-tuned (newest first) and trained in the workspace."""
    finetuned = list_finetuned(workspace)
    return [
        *(_on_disk(name, name, name, "shipped") for name in SHIPPED),
        *(
            _on_disk(model.path, model.name, f"{model.name} (fine-tuned {model.base})", "fine-tuned")
            for model in finetuned
        ),
        *(
            _on_disk(path, name, f"{name} (trained here)", "trained")
            for name, path in sorted(made_here(workspace).items())
            if name not in {model.name for model in finetuned}
        ),
    ]


def choice(workspace: Workspace, name: str) -> GeneratorChoice:
    """The generator of any name, without a download. Raises UserError."""
    if name == AUGMENTATION:
        card = ModelCard(name="Classical augmentation", family=AUGMENTATION)
        return GeneratorChoice(name, card.name, card, "shipped", 0)
    known = {each.name: each for each in choices(workspace)}
    name = name_of(workspace, name)
    if name in known:
        return known[name]
    if name.startswith(CONTEXT_PREFIX):
        plain = name.removeprefix(CONTEXT_PREFIX)
        raise UserError(f'choose {plain!r}, and start from "context" under Advanced')
    folder = _kept_snapshot(name) if not Path(name).expanduser().exists() and HUB_ID.fullmatch(name) else None
    if folder is not None:
        return GeneratorChoice(name, name, ModelCard.read(folder), "hub", _bytes(folder))
    if HUB_ID.fullmatch(name) and not Path(name).expanduser().exists() and not name.startswith("."):
        return GeneratorChoice(name, name, ModelCard(name=name), "hub", None)
    return _on_disk(locate(workspace, name), name, Path(name).name, "folder")


def vocabulary(workspace: Workspace, name: str) -> Vocabulary | None:
    """The vocabulary of a generator, or None if its card has none. Raises UserError."""
    about = choice(workspace, name)
    if about.size is None or not (about.card.words or about.card.classes):
        return None
    return _vocabulary(find_model(locate(workspace, name)), about.card.classes + about.card.words)


def _on_disk(where: str | Path, name: str, label: str, kind: Kind) -> GeneratorChoice:
    folder = find_model(where).path
    return GeneratorChoice(name, label, ModelCard.read(folder), kind, _bytes(folder))


def _bytes(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _kept_snapshot(hub_id: str) -> Path | None:
    """The folder of a hub model that has been downloaded, or None."""
    from huggingface_hub import try_to_load_from_cache

    index = try_to_load_from_cache(hub_id, INDEX)
    return Path(index).parent if isinstance(index, str) else None


@lru_cache(maxsize=16)
def _vocabulary(folder: ModelFolder, taught: tuple[str, ...]) -> Vocabulary:
    terms = {" ".join(term.casefold().split()) for term in taught}
    path = (folder.base or folder).path / "tokenizer" / "tokenizer.json"
    if not path.exists():
        return Vocabulary(frozenset(terms), len)
    return Vocabulary(frozenset(terms), _reader(path))


def _reader(path: Path) -> Callable[[str], int]:
    """A function that counts the characters of a prompt, in whole words, within the limit of the tokenizer."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    longest = (tokenizer.truncation or {}).get("max_length")
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def read(text: str) -> int:
        offsets = tokenizer.encode(text).offsets
        if longest is None or len(offsets) <= longest:
            return len(text)
        end = int(offsets[longest - 1][0])
        halved = [word.start() for word in WORD.finditer(text) if word.start() < end < word.end()]
        return halved[0] if halved else end

    return read
