"""What is killed: every stage as a command on a small workspace of real digits."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from synthaug.cli import main
from synthaug.records import LabelEntry
from synthaug.store import label_log
from synthaug.store.image_store import ImageStore
from synthaug.workspace import Workspace
from tests.torture.processes import Work, run

OLD = Path(__file__).parent.parent / "store" / "workspaces" / "0.1.sql"
LABELS = 400  # a run of the label case; each is acknowledged on its own


@dataclass(frozen=True)
class Case:
    """One stage. ``start``: the template it starts from; ``refusal``: what a repetition may answer when it was done."""

    name: str
    start: str
    work: Callable[[Path], Work]  # by the folder that holds work/, source/ and saved/
    refusal: str = "(?!)"
    makes_workspace: bool = False

    @property
    def needs_networks(self) -> bool:
        """Whether its template or its work trains or draws."""
        return self.start not in ("nothing", "empty", "imported", "old")

    def may_answer(self, code: int | None, output: str) -> bool:
        """Whether a repetition has completed, or says that it was complete."""
        return code == 0 or (code == 2 and re.search(self.refusal, output) is not None)


def command(*arguments: str) -> Callable[[Path], Work]:
    """A synthaug command; {here} in an argument is the folder."""

    def on(here: Path) -> Work:
        return lambda: main([each.format(here=here) for each in arguments])

    return on


def in_workspace(*arguments: str) -> Callable[[Path], Work]:
    return command(*arguments, "--workspace", "{here}/work")


def acknowledged(here: Path) -> set[str]:
    """Operation ids of the labels that the label case was told are kept."""
    path = here / "acknowledged"
    return set(path.read_text().split()) if path.exists() else set()


def label_and_undo(here: Path) -> Work:
    """Labels as the Label page sends them, one by one, every third one taken back; acknowledged in a file."""

    def work() -> None:
        workspace = Workspace.open(here / "work")
        images = [row["id"] for row in workspace.db.query("SELECT id FROM images WHERE split = 'train'")]
        handle = os.open(here / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for i in range(LABELS):
            entry = LabelEntry(images[i % len(images)], "class", "ann", "human", f"op-{i}", i % 10)
            (number,) = label_log.append(workspace.db, [entry])
            os.write(handle, f"op-{i}\n".encode())
            if i % 3 == 0:
                undo = LabelEntry(entry.image_id, "undo", "ann", "human", f"undo-{i}", undoes=number)
                label_log.append(workspace.db, [undo])
                os.write(handle, f"undo-{i}\n".encode())

    return work


def migrate(here: Path) -> Work:
    return lambda: Workspace.open(here / "work").db.close()


GENERATE = (
    "generate",
    "--template",
    "a {{big|small}} digit",
    "--label",
    "3",
    "--generator",
    "digits",
    "--steps",
    "1",
)
FINETUNE = (
    "finetune",
    "--data",
    "v",
    "--base",
    "digits",
    "--steps",
    "2",
    "--rank",
    "2",
    "--caption",
    "a {{class}}",
)
ACQUIRE = ("acquire", "q", "--base", "v", "--label", "3", "--add", "2", "--passes", "2")
THERE = "exists|taken|already"

CASES = {
    case.name: case
    for case in (
        Case(
            "init",
            "nothing",
            command("init", "{here}/work", "--preset", "digits"),
            THERE,
            makes_workspace=True,
        ),
        Case("import", "empty", in_workspace("import", "{here}/source", "--format", "folder")),
        Case("view", "filled", in_workspace("view", "w", "--keep", "3=2"), THERE),
        Case("generate", "filled", in_workspace(*GENERATE, "-n", "12")),
        Case("predict", "filled", in_workspace("predict", "--model", "m")),
        Case("score", "predicted", in_workspace("score")),
        Case("label and undo", "imported", label_and_undo),
        Case("label FILE.csv", "imported", in_workspace("label", "{here}/labels.csv", "--annotator", "ann")),
        Case(
            "export",
            "filled",
            in_workspace("export", "{here}/out", "--format", "folder", "--view", "v"),
            "empty",
        ),
        Case("train", "filled", in_workspace("train", "--view", "v", "--epochs", "2", "--name", "t"), THERE),
        Case("finetune", "filled", in_workspace(*FINETUNE, "--name", "f"), THERE),
        Case("acquire", "predicted", in_workspace(*ACQUIRE), THERE),
        Case("migrate", "old", migrate),
        Case("backup", "imported", in_workspace("backup", "{here}/saved")),
        Case("backup again", "backed up", in_workspace("backup", "{here}/saved")),
        Case("restore", "backed up", command("restore", "{here}/saved", "{here}/again"), "empty"),
        Case("repair", "damaged", in_workspace("verify", "--repair", "--from", "{here}/saved")),
    )
}


class Templates:
    """Folders that cases start from, each made once by the commands themselves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._makers = {
            "nothing": self._nothing,
            "empty": self._empty,
            "imported": self._imported,
            "filled": self._filled,
            "predicted": self._predicted,
            "old": self._old,
            "backed up": self._backed_up,
            "damaged": self._damaged,
        }

    def copy(self, name: str, destination: Path) -> Path:
        """A fresh copy of a template."""
        template = self._folder / name
        if not template.exists():
            self._makers[name](template)
        return Path(shutil.copytree(template, destination))

    def _do(self, here: Path, *works: Callable[[Path], Work]) -> None:
        for work in works:
            ended = run(work(here), self._folder / "log")
            if ended.code:
                raise RuntimeError(ended.output)

    def _nothing(self, here: Path) -> None:
        write_digits(here / "source")
        (here / "labels.csv").write_text("image,label\n", encoding="utf-8")

    def _empty(self, here: Path) -> None:
        self.copy("nothing", here)
        self._do(here, command("init", "{here}/work", "--preset", "digits"))

    def _imported(self, here: Path) -> None:
        self.copy("empty", here)
        self._do(here, in_workspace("import", "{here}/source", "--format", "folder"))
        with closing(sqlite3.connect(here / "work" / "synthaug.db")) as connection:
            rows = connection.execute("SELECT sha256 FROM images WHERE split = 'train'").fetchall()
        lines = [f"{row[0]},{i % 10}" for i, row in enumerate(rows)]
        (here / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n", encoding="utf-8")

    def _filled(self, here: Path) -> None:
        self.copy("imported", here)
        generate = ("generate", "--template", "a digit", "--label", "3", "-n", "4", "--generator", "digits")
        self._do(
            here,
            in_workspace("view", "v"),
            in_workspace(*generate, "--steps", "1"),
            in_workspace("train", "--view", "v", "--epochs", "1", "--name", "m"),
        )

    def _predicted(self, here: Path) -> None:
        self.copy("filled", here)
        self._do(here, in_workspace("predict", "--model", "m"))

    def _old(self, here: Path) -> None:
        (here / "work").mkdir(parents=True)
        with closing(sqlite3.connect(here / "work" / "synthaug.db")) as connection:
            connection.executescript(OLD.read_text(encoding="utf-8"))
        for i in range(6):
            ImageStore(here / "work" / "images").put(np.full((8, 8, 3), 40 * i, np.uint8), {})

    def _backed_up(self, here: Path) -> None:
        """A backup, and some images and labels since."""
        self.copy("filled", here)
        self._do(here, in_workspace("backup", "{here}/saved"), in_workspace("predict", "--model", "m"))

    def _damaged(self, here: Path) -> None:
        self.copy("backed up", here)
        for path in sorted((here / "work" / "images").rglob("*.png"))[::5]:
            path.unlink()
        next((here / "work" / "models").glob("*.safetensors")).write_bytes(b"")


def write_digits(folder: Path) -> None:
    """80 train and 20 test images of scikit-learn's digits, 32 x 32 pixels, as an ImageFolder."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for i, (pixels, label) in enumerate(zip(digits.images[:100], digits.target[:100], strict=True)):
        path = folder / ("test" if i >= 80 else "train") / str(label) / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).resize((32, 32)).save(path)


def logged(workspace: Workspace) -> set[str]:
    """Operation ids of the whole label log."""
    return {row["op_id"] for row in workspace.db.query("SELECT op_id FROM labels")}
