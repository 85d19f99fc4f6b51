"""One lake for the stories of its permissions and of its files: Lake Formation decides in it from the beginning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.saas.model.runs import RunState
from local_cloud.cloud import LocalCloud
from local_cloud.factory.inbox import subscribe_to_failures
from local_cloud.factory.lake import ENVIRONMENT, Lake, wait_for
from local_cloud.factory.lake_people import People
from local_cloud.glue import environment
from tests.local.lake.governing import Governing


@pytest.fixture(scope="package")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake whose pipelines have deployed it, and whose jobs were granted what they need of its catalog."""
    environment.spark()  # takes minutes on a new machine, while nobody waits for a run
    with LocalCloud.start(tmp_path_factory.mktemp("lake")) as cloud:
        made = Lake.build(cloud)
        People.arrive(made)
        released(made, made.push("A lake"))
        wait_for(made.deployed, "the lake's pipelines to deploy it")
        made.administer("register-resource")
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
