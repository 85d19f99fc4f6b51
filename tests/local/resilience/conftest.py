"""The factory of the room: experiments, what goes wrong with them and dry runs; then failovers, on short minutes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.factory.chaos import CANARY, QUICK
from local_cloud.factory.failover import QUICK as SHORT
from local_cloud.factory.failover import FailoverFactory
from local_cloud.factory.granary import Granary
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from local_cloud.factory.zone import ADDRESS
from tests.local.first_factory import Reader, shell_of
from tests.local.resilience.catalogue import CONFIGURATION, ROWS
from tests.local.resilience.failing import Failing, heard
from tests.local.resilience.scene import Released, Scene
from tests.local.saas.factory import Factory


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A factory with both parts of the room on, and a tenant in each of four rings."""
    if not ADDRESS:
        pytest.skip("component/local.yaml names no endpoint: its component has nothing that experiments could stop")
    with LocalCloud.start(tmp_path_factory.mktemp("chaos")) as cloud:
        granary = Granary.build(cloud, overlay=CONFIGURATION)
        failovers = FailoverFactory.switch_on(granary)
        factory = Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))
        factory.put(*ROWS)
        factory.released(granary.push("The first release"))
        factory.active(*ROWS)
        cloud.faults.set(QUICK)
        scene = Scene(granary=granary, factory=factory, failovers=failovers)
        scene.bring_alarm(CANARY)
        scene.bring_stop_alarms(*ROWS)
        yield scene


@pytest.fixture(autouse=True)
def data_keeps_near(request: pytest.FixtureRequest) -> None:
    """What replication says of its lag is old after a quarter of an hour."""
    if "scene" in request.fixturenames:
        request.getfixturevalue("scene").failovers.measure()


@pytest.fixture(scope="package")
def failed(scene: Scene) -> Released:
    """A release, while every tenant has one task."""
    return scene.released()


@pytest.fixture(scope="package")
def reader(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A person of the toolchain's account in the factory's checkout, whose `granary` is that of the checkout."""
    folder = tmp_path_factory.mktemp("reader")
    granary = folder / "granary"
    granary.write_text(f'#!/bin/sh\nexec {scene.granary.cloud.python} -m cli "$@"\n', encoding="utf-8")
    granary.chmod(0o755)
    given = shell_of(scene.granary.cloud, folder)
    given["AWS_PROFILE"] = "toolchain"
    given["PATH"] = os.pathsep.join((str(folder), given["PATH"]))
    return Reader(workspace=scene.granary.workspace, shell=given)


@pytest.fixture(scope="package")
def failing(scene: Scene) -> Failing:
    """The factory's three groups, which are at home."""
    scene.granary.cloud.faults.set(SHORT)
    return heard(scene.failovers)
