"""Predictions and features by other processes are those of this one, and a kill loses none of them."""

from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pytest

from synthaug.errors import ImageLost, UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.stages.extract import extract
from synthaug.stages.inference import look_at
from synthaug.stages.predict import predict
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, features, models
from synthaug.workspace import Workspace
from tests.files import cut
from tests.made import add_gray_image

pytestmark = pytest.mark.slow

PROCESSES = ExecutorSpec("processes", workers=2)


@pytest.fixture
def trained(digits: Workspace) -> Workspace:
    """All digits, and a classifier of one epoch."""
    make_view(digits, "few", ViewSpec(keep={str(digit): 20 for digit in range(10)}))
    train(digits, "few", epochs=1, name="m")
    return digits


@pytest.mark.long
def test_two_processes_predict_what_one_does(trained: Workspace) -> None:
    model = models.by_name(trained.db, "m")
    assert predict(trained, "m").predicted == 1797
    alone = models.all_predictions(trained.db, model.id)
    with trained.db.transaction() as connection:
        connection.execute("DELETE FROM predictions")
    told: list[tuple[int, int, str]] = []
    assert predict(trained, "m", lambda *each: told.append(each), executor=PROCESSES).predicted == 1797
    together = models.all_predictions(trained.db, model.id)
    assert alone[0] == together[0]
    assert np.array_equal(alone[1], together[1])
    assert np.array_equal(alone[2], together[2])
    assert [done for done, _, _ in told] == [0, 512, 1024, 1536, 1797, 1797]
    assert not list((trained.root / "shards").iterdir())


@pytest.mark.long
def test_a_killed_prediction_goes_on_where_it_was(trained: Workspace) -> None:
    """The head dies once the first rows are there."""
    program = f"""
import os, signal
from pathlib import Path
from synthaug.executors.base import ExecutorSpec
from synthaug.stages.predict import predict
from synthaug.workspace import Workspace
from tests.files import cut
from tests.files import cut
def die(done, total, note):
    if done > 0: os.kill(os.getpid(), signal.SIGKILL)
predict(Workspace.open(Path({str(trained.root)!r})), "m", die, executor=ExecutorSpec("processes", workers=1))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = catalog.find_images(trained.db, without_predictions_of=models.by_name(trained.db, "m").id)
    assert 0 < len(left) < 1797
    assert predict(trained, "m", executor=ExecutorSpec("processes", workers=1)).predicted == len(left)
    ids, probs, _ = models.all_predictions(trained.db, models.by_name(trained.db, "m").id)
    assert len(ids) == 1797
    assert np.allclose(probs.sum(1), 1, atol=1e-5)


def test_another_process_extracts_what_this_one_does(workspace: Workspace) -> None:
    for level in range(0, 240, 20):
        add_gray_image(workspace, level, "real")
    held = extract(workspace, "efficientnet-lite0", executor=ExecutorSpec(shard_size=4))
    ids, alone = features.read_all(workspace.db, workspace.features_folder, held)
    one = ExecutorSpec("processes", workers=1, shard_size=4)
    again = extract(workspace, "efficientnet-lite0", recompute=True, executor=one)
    assert (again.id, len(ids)) == (held.id, 12)
    assert np.array_equal(alone, features.read_all(workspace.db, workspace.features_folder, again)[1])


def test_a_lost_image_is_named_by_its_number_here_and_by_its_file_elsewhere(trained: Workspace) -> None:
    image = catalog.find_images(trained.db, split="train")[0]
    path = trained.images.path(image.sha256)
    cut(path, 30)
    with pytest.raises(
        ImageLost, match=rf"the file of image {image.id}, {path}, is damaged .*; import .* again"
    ):
        predict(trained, "m")
    with pytest.raises(
        UserError, match=rf"process \d+ on .*: the image file {path} is damaged .*synthaug verify"
    ):
        predict(trained, "m", executor=ExecutorSpec("processes", workers=1))


def test_without_images_no_worker_is_started(digits: Workspace) -> None:
    assert (
        list(look_at(digits, [], "Predictor", {}, name="n", created_at="", batch=5, executor=PROCESSES)) == []
    )
