"""Executors: where the tasks of a job are done; an executor is looked up by name and imported on use."""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from synthaug.errors import UnknownName, UserError
from synthaug.executors.base import Executor, ExecutorSpec
from synthaug.storage import Folder, open_folder

SHARDS = "shards"
"""The folder of a workspace that holds the shards of running jobs."""

EXECUTORS = {
    "serial": "synthaug.executors.serial:SerialExecutor",
    "processes": "synthaug.executors.processes:ProcessExecutor",
    "ray": "synthaug.executors.ray:RayExecutor",
}


def check_executor(spec: ExecutorSpec) -> None:
    """Raises UserError for a specification that cannot work, before a job is queued."""
    if spec.name not in EXECUTORS:
        raise UnknownName("executor", spec.name, EXECUTORS)
    for name, value in (("workers", spec.workers), ("images per shard", spec.shard_size)):
        if value is not None and value < 1:
            raise UserError(f"the number of {name} is {value}; it must be at least 1")
    if spec.name == "serial" and (spec.workers or 1) > 1:
        raise UserError(f"the executor 'serial' has one worker, not {spec.workers}; use 'processes'")
    if spec.address and spec.name != "ray":
        raise UserError(
            f"the address {spec.address!r} is that of a Ray cluster; use it with the executor 'ray'"
        )
    if spec.name == "ray" and find_spec("ray") is None:
        raise UserError("the executor 'ray' needs the package ray: pip install 'synthaug[ray]'")
    if spec.name == "ray" and not spec.address:
        raise UserError(
            "the executor 'ray' needs --address: HOST:PORT of the head of the cluster, auto or local"
        )
    if spec.shards:
        open_folder(spec.shards)


def job_folder(spec: ExecutorSpec, workspace: Path, name: str, created_at: str) -> Folder:
    """The folder for the shards of a job: in the workspace, or in a folder of its own below ``spec.shards``."""
    if not spec.shards:
        return open_folder(workspace.absolute() / SHARDS / name)
    own = hashlib.sha256(f"{workspace.absolute()} {created_at}".encode()).hexdigest()[:12]
    return open_folder(f"{spec.shards.rstrip('/')}/synthaug-{name}-{own}")


def load_executor(spec: ExecutorSpec, folder: Folder) -> Executor:
    """The executor for ``spec``, which stores its shards in ``folder``. Raises UserError."""
    check_executor(spec)
    module, _, attribute = EXECUTORS[spec.name].partition(":")
    executor: Executor = getattr(import_module(module), attribute)(spec, folder)
    return executor
