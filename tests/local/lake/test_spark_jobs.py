"""The two jobs in Spark: one start for all cases of `spark_cases`, and one for an attempt that is killed."""

from __future__ import annotations

import json
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from config.models.lake_datasets import read_dataset
from tests.local.lake.spark_cases import CASES, ROOT
from tests.local.lake.spark_environment import spark_environment


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What has become of each case."""
    definitions, errors = read_dataset("green_trips", Path(ROOT / "config/examples/all"))
    assert definitions, errors
    folder = tmp_path_factory.mktemp("spark")
    python, variables = spark_environment(folder)
    command = [str(python), "-m", "tests.local.lake.spark_cases", str(folder)]
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
    run = partial(subprocess.run, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=590, check=False)
    killed = run(command)
    assert killed.returncode == 9, killed.stderr[-4000:]
    done = run([*command, json.dumps(definitions.files)])
    assert done.returncode == 0, done.stderr[-4000:]
    answer: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize("case", CASES)
def test_spark(told: dict[str, str], case: str) -> None:
    assert told[case] == "", told[case]
