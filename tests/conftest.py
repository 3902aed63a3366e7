"""Fixtures that several tests share: workspaces made of real digits."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the commands do, before torch is loaded

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from synthaug.stages.importing import import_images
from synthaug.workspace import Workspace
from tests.files import copy_workspace

settings.register_profile("patient", deadline=None)  # how long an example takes says nothing about it
settings.load_profile("patient")

S3_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "anything",
    "AWS_DEFAULT_REGION": "us-east-1",
}
SLOW_FOLDERS = ("experiments", "generator_training")  # whoever trains in one file only marks that file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``make test-fast`` leaves out: folders of trainings, and every browser test."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
        if folder == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """A Ray cluster on this machine: a head without CPUs, and two nodes of one CPU each. Its address."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)  # workers find the tests' makers
    soon = {
        "health_check_period_ms": 500,
        "health_check_failure_threshold": 3,
    }  # else a dead node is missed late
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": soon}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()
    del os.environ["PYTHONPATH"]


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of a bucket; where the server is, this process and its children read in the environment."""
    pytest.importorskip("moto")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    for name, value in {**S3_SETTINGS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        patch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="shards")
    yield "s3://shards"
    patch.undo()
    server.stop()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace with the ten digits as classes."""
    return Workspace.create(tmp_path / "work", (), "digits")


@pytest.fixture(scope="session")
def digits_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with all digits imported; copy it, do not write to it."""
    root = tmp_path_factory.mktemp("digits") / "work"
    digits = Workspace.create(root, (), "digits")
    import_images(digits, "digits", "digits")
    digits.db.close()
    before = _contents(root)
    yield root
    assert _contents(root) == before, "a test damaged an image that all copies share; see copy_workspace"


def _contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "images").rglob("*") if path.is_file()}


@pytest.fixture
def digits(digits_template: Path, tmp_path: Path) -> Workspace:
    """A workspace of one's own with all 1,797 digits."""
    return Workspace.open(copy_workspace(digits_template, tmp_path / "digits"))
