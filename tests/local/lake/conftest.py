"""One lake for the stories of its permissions and of its files: Lake Formation decides in it from the beginning."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest
import yaml

from lambdas.saas.model.runs import RunState
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN
from local_cloud.factory.inbox import subscribe_to_failures
from local_cloud.factory.lake import ENVIRONMENT, GOVERNANCE, SECTION, Lake, wait_for
from local_cloud.factory.lake_people import People
from local_cloud.glue import environment
from tests.local.lake.governing import Governing

HOURLY = f"{GOVERNANCE.governance}-{ENVIRONMENT}-hourly"
SENSORS = {"name": "sensors", "object_key": "sensors.zip"}


@pytest.fixture(scope="package")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake whose pipelines have deployed it, and whose jobs were granted what they need of its catalog."""
    environment.spark()  # takes minutes on a new machine, while nobody waits for a run
    with LocalCloud.start(tmp_path_factory.mktemp("lake")) as cloud:
        made = Lake.build(cloud)
        People.arrive(made)
        made.granary.workspace.configure("lake", {**SECTION, "dataset_sources": [SENSORS]})
        made.granary.workspace.commit("A dataset in a source of its own")
        push_sensors(made, "at")
        released(made, made.push("A lake"))
        wait_for(made.deployed, "the lake's pipelines to deploy it")
        made.administer("register-resource")
        # On a slow machine hours go by; a run of that rule would be taken for the one that a test has started.
        made.granary.client("events").disable_rule(Name=HOURLY)
        done = made.granary.cli("lake", "plan", ENVIRONMENT)
        assert done.returncode == 0, done.stderr
        assert made.governed() == "Applied"
        yield made


@pytest.fixture(scope="package")
def people(lake: Lake) -> People:
    """Those who query it."""
    return People(lake=lake)


@pytest.fixture(scope="package")
def governing(lake: Lake) -> Governing:
    """Its permissions, with somebody who hears of them."""
    return Governing(lake=lake, told=subscribe_to_failures(lake.granary))


def released(lake: Lake, version: str) -> None:
    """Wait until CI/CD has released a version."""

    def ended() -> bool | None:
        run = lake.granary.run(version)
        return True if run and run.state == RunState.SUCCEEDED else None

    wait_for(ended, "CI/CD to release")


def push_sensors(lake: Lake, *columns: str) -> str:
    """A commit to the dataset's own source: a schema at its root; answers its version."""
    schema = {"prefix": "plant/sensors/", "table": "sensors", "columns": [{"name": it} for it in columns]}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("schema.yaml", yaml.safe_dump(schema))
    bucket = NAMES.source_bucket(TOOLCHAIN, HOME)
    put = lake.granary.client("s3").put_object
    return str(put(Bucket=bucket, Key=SENSORS["object_key"], Body=content.getvalue())["VersionId"])
