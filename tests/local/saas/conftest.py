"""One deployed factory for all scenarios, and the rows that many of them share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Phase, Status
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import TOOLCHAIN, WORKLOAD, Granary
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from local_cloud.factory.workspace import OVERLAY
from tests.local.saas.factory import Factory
from tests.local.saas.migrating import TASKS
from tests.local.saas.outages import Schedule, stop_the_schedule
from tests.local.saas.releasing import HEALTH, becomes_current, ended
from tests.local.saas.wave import BAD, EARLY, GOOD, HOUSE, NOWHERE, TWIN, UNREACHABLE, with_extra

# The scenarios say themselves when the sweep runs: a run of them may last longer than an hour, so the rule is disabled.
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
# What the releases of these tests look at, and who has to agree to their last ring.
_RINGS = [{"name": "canary"}, {"name": "early", "alarms": [HEALTH]}, {"name": "general", "approval": True}]
_RELEASES = {**OVERLAY["toolchain"]["releases"], "rings": _RINGS}
# What rows may say to their component, and a tier.
_SAYS = {
    "parameters": {
        "domain": {"description": "Its address.", "default": "none.example.com", "pattern": "[a-z.]+"},
        "plan": {"description": "What it may do.", "default": "basic", "choices": ["basic", "full"]},
    },
    "tiers": {"gold": {"parameters": {"plan": "full"}, "tags": {"tier": "gold"}}},
}
_CONFIGURATION = {
    "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING, "releases": _RELEASES},
    "workloads": {**OVERLAY["workloads"], "accounts": [WORKLOAD, TOOLCHAIN, NOWHERE], **_SAYS},
}


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Granary]:
    """The toolchain, deployed with the CDK CLI into bootstrapped accounts."""
    with LocalCloud.start(tmp_path_factory.mktemp("factory")) as cloud:
        granary = Granary.build(cloud, overlay=_CONFIGURATION)
        # As a target it is bootstrapped a second time, with the template of workload accounts.
        granary.bootstrap_workload(TOOLCHAIN, HOUSE.region)
        yield granary


@pytest.fixture(scope="session")
def schedule(toolchain: Granary) -> Schedule:
    """The sweep's schedule, as it was deployed; it does nothing from here on."""
    return stop_the_schedule(toolchain)


@pytest.fixture(scope="session")
def factory_without_release(toolchain: Granary, schedule: Schedule) -> Factory:
    """The factory before its first release, with a sweep that runs when a scenario says so."""
    return Factory(granary=toolchain, bus=listen_to_bus(toolchain), people=subscribe_to_failures(toolchain))


@pytest.fixture(scope="session")
def waiting_early(factory_without_release: Factory) -> Status:
    """What the factory says of a row that was put before the first release."""
    factory_without_release.put(EARLY)
    return factory_without_release.reaches(EARLY.id, Phase.PENDING, reason="waiting")


@pytest.fixture(scope="session")
def factory(factory_without_release: Factory, waiting_early: Status) -> Factory:
    """The factory after its first release; the components of some tenants have tasks.

    CI/CD does not wait for the release, at whose end the sweep takes up what waits; of a row that is put meanwhile, two
    builds might start. So what waited has been taken up when this ends.
    """
    factory = factory_without_release
    factory.granary.workspace.add_to_components(TASKS)
    factory.granary.workspace.commit("Tasks around some deployments")
    version = factory.granary.push("The first release")
    factory.released(version)
    ended(factory, version, RunState.SUCCEEDED)
    becomes_current(factory, version)
    factory.leaves(EARLY.id, Phase.PENDING)
    return factory


@pytest.fixture(scope="session")
def wave(factory: Factory) -> dict[str, Status]:
    """Good, bad and impossible rows, put at once; the statuses of the good ones, which are all ACTIVE."""
    first, *others = GOOD
    for item in (first.item(), *(item for item, _ in BAD)):
        factory.put_item(with_extra(item))
    factory.put(UNREACHABLE, *others)
    return factory.active(EARLY, *GOOD)


@pytest.fixture(scope="session")
def twin(factory: Factory, wave: dict[str, Status]) -> Status:
    """A tenant that stands in two Regions, as it was onboarded; the releases of `test_strategies` reach it."""
    factory.put(TWIN)
    return factory.active(TWIN)[TWIN.id]
