"""The launchers of docs/scale.md, read by those who read them on a cluster: bash, Ray, and our own command line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_docs import GROUP, ROOT, WRITER, blocks

ray = pytest.importorskip("ray")
PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
SRUN = """#!/bin/sh
# Runs the command once, on the only node, as srun would on each.
while [ "${1#--}" != "$1" ]; do shift; done
printf '%s\\n' "$@"
"""


def block(language: str, beginning: str) -> str:
    """The only block of the page in this language that begins like this."""
    (found,) = [
        each.text for each in blocks(PAGE) if each.language == language and each.text.startswith(beginning)
    ]
    return found


def parsed(words: list[str]) -> dict[str, Any]:
    """The options of a command, by synthaug's own parser, which refuses unknown ones."""
    assert words[0] == "synthaug"
    parent = WRITER.root_context(GROUP)
    name, command, arguments = GROUP.resolve_command(parent, words[1:])
    found: dict[str, Any] = command.make_context(name, arguments, parent=parent).params
    return found


def test_the_script_for_slurm_gives_every_node_a_command_that_ray_accepts(tmp_path: Path) -> None:
    from ray.scripts.symmetric_run import curate_and_validate_ray_start_args, symmetric_run

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "srun").write_text(SRUN)
    (tmp_path / "bin" / "srun").chmod(0o755)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "activate").touch()
    script = block("bash", "#!/bin/bash\n#SBATCH")
    (tmp_path / "cluster.sh").write_text(script)
    given = {"HEAD": "node17", "SLURM_CPUS_PER_TASK": "32", "SLURM_JOB_NUM_NODES": "2"}
    done = subprocess.run(
        ["bash", "-eu", "cluster.sh", "synthaug", "jobs", "--resume", "1"],
        cwd=tmp_path,
        env=os.environ | given | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
        text=True,
    )
    words = done.stdout.splitlines()
    assert words[:2] == ["ray", "symmetric-run"]
    separator = words.index("--")
    options = symmetric_run.make_context("_", words[2:separator], resilient_parsing=True).params
    assert (options["address"], options["min_nodes"]) == ("node17:6379", 2)
    assert curate_and_validate_ray_start_args(words[2:separator]) == []
    assert words[separator + 1 :] == ["synthaug", "jobs", "--resume", "1"]


def test_ray_waits_for_the_nodes_as_long_as_the_script_says() -> None:
    code = "from ray.scripts import symmetric_run; print(symmetric_run.CLUSTER_WAIT_TIMEOUT)"
    (line,) = [each for each in block("bash", "#!/bin/bash\n#SBATCH").splitlines() if "WAIT_TIMEOUT" in each]
    name, _, value = line.removeprefix("export ").partition("#")[0].strip().partition("=")
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {name: value},
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(found.stdout.split()[-1]) == int(value) == 300


def test_ray_reads_eight_workers_of_one_gpu_and_a_head_without_from_the_manifest() -> None:
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

    job = yaml.safe_load(block("yaml", "apiVersion: ray.io/v1\nkind: RayJob"))
    cluster = {"metadata": job["metadata"], "spec": job["spec"]["rayClusterSpec"]}
    groups = _derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"]
    (workers,) = [each for name, each in groups.items() if name == "gpus"]
    (head,) = [each for name, each in groups.items() if name != "gpus"]
    assert (workers["min_workers"], workers["max_workers"], workers["resources"]["GPU"]) == (8, 8, 1)
    assert head["resources"].get("GPU", 0) == 0
    mounted = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    assert {each["name"] for each in mounted["containers"][0]["volumeMounts"]} == {
        each["name"] for each in mounted["volumes"]
    }


def test_synthaug_understands_the_commands() -> None:
    manifest = yaml.safe_load(block("yaml", "apiVersion: ray.io/v1\nkind: RayJob"))
    (submission,) = [each.text for each in blocks(PAGE) if each.text.startswith("export HEAD")]
    words = shlex.split(submission.replace("\\\n", " "))
    for command in (shlex.split(manifest["spec"]["entrypoint"]), words[words.index("synthaug") :]):
        options = parsed(command)
        assert (options["count"], options["executor"], options["address"]) == (1_000_000, "ray", "auto")
        assert options["shards"]
