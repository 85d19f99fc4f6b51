"""A tenant with a standby: onboarded, released, without it, with it again, and retired, by one pipeline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.common.pipeline_jobs import ask
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.runs import Strategy
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import NAMES, wait_until
from local_cloud.factory.moving import current_release
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.releases.test_strategies import approve, over, publish
from tests.local.saas.wave import TWIN

ALONE = replace(TWIN, standby_region="")
THERE = replace(ALONE, region=TWIN.standby_region)
STANDBY_STAGE = f"Standby-{TWIN.standby_region}"


def put(factory: Factory, **changed: str) -> None:
    """Put the row with consent to a change of place."""
    factory.put_item({**replace(TWIN, **changed).item(), "allow_move": {"BOOL": True}})


def regions(status: Status) -> list[str]:
    return [ref.region for ref in status.component_stacks]


def stages(factory: Factory) -> list[str]:
    return [name for name, _ in factory.granary.stages(TWIN.pipeline)]


@pytest.fixture(scope="module")
def released(factory: Factory, twin: Status) -> str:
    """The current release, which came after the tenant was onboarded."""
    current = current_release(factory.granary).revision
    if current == twin.revision_deployed:  # this module runs alone
        version = publish(factory, Strategy.ALL_AT_ONCE)
        over(factory, current, version, approve(factory, version))
        current = version
    return current


def test_one_pipeline_deploys_the_primary_and_then_the_standby(factory: Factory, twin: Status) -> None:
    """Given a row with a standby, then both stacks stand, and the status tells them in that order."""
    assert regions(twin) == [TWIN.region, TWIN.standby_region]
    assert [region for _, region in twin.places] == [TWIN.region, TWIN.standby_region]
    public = {TWIN.region: factory.public(TWIN), TWIN.standby_region: factory.public(THERE)}
    assert twin.outputs == {region: told for region, told in public.items() if told}
    shown = factory.granary.cli("status", TWIN.id).stdout
    assert [name for name in public[TWIN.standby_region] if f"{name}, {TWIN.standby_region}: " not in shown] == []
    page = ask(NAMES.tenants_function, {"standbys": True}, factory.granary.client("lambda"))
    assert [(one["id"], one["outputs"]) for one in page["standbys"]] == [(TWIN.id, twin.outputs)]
    assert (page["unreadable"], page["after"]) == ([], "")
    assert factory.component(TWIN) is not None
    assert factory.component(THERE) is not None
    assert stages(factory)[-2:] == ["Deploy", STANDBY_STAGE]


def test_a_release_reaches_both(factory: Factory, released: str, twin: Status) -> None:
    status = factory.active(TWIN)[TWIN.id]
    assert status.revision_deployed == released != twin.revision_deployed
    assert dict(factory.granary.stages(TWIN.pipeline))[STANDBY_STAGE] == "Succeeded"
    assert f"{TWIN.region}+{TWIN.standby_region}" in factory.cli("list", "--plain").stdout


def test_a_standby_that_is_dropped_goes_when_the_primary_stands_without_it(factory: Factory, released: str) -> None:
    """Given a row without the standby, then that needs consent; with it, its stack goes, and nothing else."""
    factory.put(ALONE)
    factory.reaches(TWIN.id, Phase.INVALID, reason="which leaves its data behind")
    put(factory, standby_region="")
    factory.reaches(TWIN.id, Phase.MOVING)
    assert factory.component(THERE) is not None, "it stays until the pipeline has deployed without it"
    factory.leaves(TWIN.id, Phase.MOVING)
    status = factory.active(TWIN)[TWIN.id]
    assert (regions(status), status.former_stacks) == ([TWIN.region], ())
    assert list(status.outputs) == [TWIN.region]
    assert factory.component(THERE) is None
    assert factory.component(TWIN) is not None
    assert stages(factory)[-1] == "Deploy"


def test_a_standby_that_is_added_leaves_nothing_behind_and_is_retired_with_the_rest(
    factory: Factory, released: str
) -> None:
    """Given a tenant that stands, when its row gets a standby, then both stand; and when it is retired, neither."""
    before = factory.active(TWIN)[TWIN.id]
    put(factory)

    def both() -> Status | None:
        status = factory.granary.status(TWIN.id)
        return status if status and len(status.component_stacks) > 1 else None

    status = wait_until(both, seconds=PATIENCE_SECONDS, what="the standby to stand")
    assert regions(status) == [TWIN.region, TWIN.standby_region]
    assert status.component_stacks[0] == before.component_stacks[0]
    factory.active(TWIN)
    assert factory.cli("retire", "--yes", TWIN.id).returncode == 0

    def ended() -> Status | None:
        known = factory.granary.status(TWIN.id)
        return known if known and known.phase in ENDED else None

    assert wait_until(ended, seconds=PATIENCE_SECONDS, what="the end of both").phase is Phase.RETIRED
    assert factory.component(TWIN) is None
    assert factory.component(THERE) is None
    assert factory.pipeline(TWIN.pipeline) is None
