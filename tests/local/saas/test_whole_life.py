"""A tenant's whole life: changed, suspended, brought back, moved, retired, and its id used again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.releases import tenant_key
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import without

# Names may not begin with a digit, ids may.
NOMAD = Row(id="7-nomad", type="silo", region="us-east-1", ring="general")
THERE = replace(NOMAD, region="eu-west-1")
LOST = Row(id="stray", type="pool", region="us-east-1", ring="general")


def put(factory: Factory, row: Row, **extra: Mapping[str, object]) -> None:
    factory.put_item({**row.item(), **extra})


def template(factory: Factory, row: Row) -> str:
    """The component's template, as it is deployed."""
    client = factory.granary.client("cloudformation", account=row.account, region=row.region)
    found = client.get_template(StackName=component_stack_name(row.type, row.id))["TemplateBody"]
    return found if isinstance(found, str) else json.dumps(found, sort_keys=True)


def is_large(factory: Factory, row: Row, small: str) -> bool:
    """Whether the component is no more what it was when it was small, and says so with a stack that has settled."""
    stack = factory.component(row)
    return bool(stack and stack["StackStatus"] == "UPDATE_COMPLETE" and template(factory, row) != small)


def ends(factory: Factory, deployment_id: str) -> Status:
    """Wait until a deployment has ended, however."""

    def ended() -> Status | None:
        status = factory.granary.status(deployment_id)
        return status if status and status.phase in ENDED else None

    return wait_until(ended, seconds=PATIENCE_SECONDS, what=f"the end of {deployment_id}")


def has_copy(factory: Factory, row: Row) -> bool:
    """Whether the tenant's copy of a release is there."""
    try:
        factory.granary.client("s3").head_object(
            Bucket=NAMES.releases_bucket(TOOLCHAIN, HOME), Key=tenant_key(row.type, row.id)
        )
    except ClientError:
        return False
    return True


def transition(factory: Factory, row: Row) -> dict[str, object]:
    """The transition into the stage after Source."""
    state = factory.granary.client("codepipeline").get_pipeline_state(name=row.pipeline)
    found: dict[str, object] = state["stageStates"][1]["inboundTransitionState"]
    return found


@pytest.fixture(scope="module")
def nomad(factory: Factory, wave: dict[str, Status]) -> Status:
    """Two tenants that stand."""
    factory.put(NOMAD, LOST)
    return factory.active(NOMAD, LOST)[NOMAD.id]


def test_a_change_of_an_optional_field_reaches_the_component(factory: Factory, nomad: Status) -> None:
    """Given a row with another size and tags, a tier, parameters and an external id, then its pipeline deploys them."""
    small = template(factory, NOMAD)
    large, secret = {"S": "large"}, {"M": {"domain": {"S": "postgres://app:hunter2@db"}}}
    shell = {"M": {"team": {"S": "a; touch /tmp/granary-was-here"}}}
    put(factory, NOMAD, size=large, tags=shell, parameters=secret)
    invalid = factory.reaches(NOMAD.id, Phase.INVALID, reason="tag team has a value that AWS does not take")
    assert 'parameter "domain" looks like a secret' in invalid.reason
    assert "hunter2" not in invalid.reason
    put(
        factory,
        NOMAD,
        size=large,
        tags={"M": {"team": {"S": "a"}}},
        tier={"S": "gold"},
        parameters={"M": {"domain": {"S": "nomad.example.com"}}},
        external_id={"S": "4711/b"},
    )
    wait_until(
        lambda: is_large(factory, NOMAD, small) or None, seconds=PATIENCE_SECONDS, what="the component to become large"
    )
    status = factory.active(NOMAD)[NOMAD.id]
    assert status.execution_id != nomad.execution_id
    assert (status.applied_tier, status.applied_parameters) == ("gold", {"domain": "nomad.example.com"})
    component = factory.component(NOMAD)
    assert component is not None
    tags = {tag["Key"]: tag["Value"] for tag in component["Tags"]}
    assert (tags["team"], tags["tier"]) == ("a", "gold"), "the tenant's own synth has filled in what its tier says"
    (found,) = json.loads(factory.granary.cli("list", "--external-id", "4711/b", "--json").stdout)
    assert found["id"] == NOMAD.id
    wait_until(
        lambda: any(told["external_id"] == "4711/b" for told in factory.told(NOMAD.id)) or None,
        seconds=PATIENCE_SECONDS,
        what="an event with the external id",
    )
    put(factory, NOMAD)
    factory.stream_is_drained()
    status = factory.active(NOMAD)[NOMAD.id]
    assert (status.applied_tier, status.applied_parameters, status.external_id) == ("", {}, "")


def test_a_suspended_tenant_is_out_of_use_and_can_come_back(factory: Factory, nomad: Status) -> None:
    """Given a tenant, when it is suspended, then its pipeline is disabled; and enabled when it is activated.

    On the way the lifecycle function lacks a permission: it tries again, and nothing is lost.
    """
    factory.active(NOMAD)
    with without(factory.granary, "granary-lifecycle", "codepipeline:DisableStageTransition"):
        assert factory.cli("suspend", NOMAD.id).returncode == 0
        factory.reaches(NOMAD.id, Phase.SUSPENDED)
        assert transition(factory, NOMAD)["enabled"] is True
    wait_until(
        lambda: transition(factory, NOMAD)["enabled"] is False or None,
        seconds=PATIENCE_SECONDS,
        what="the pipeline to be disabled",
    )
    assert factory.component(NOMAD) is not None
    assert factory.cli("activate", NOMAD.id).returncode == 0
    factory.leaves(NOMAD.id, Phase.SUSPENDED)
    factory.active(NOMAD)
    assert transition(factory, NOMAD)["enabled"] is True


def test_a_move_deploys_the_new_place_before_it_deletes_the_old_one(factory: Factory, nomad: Status) -> None:
    """Given another Region in the row, then that needs consent; with it, the old component goes when the new stands."""
    factory.put(THERE)
    factory.reaches(NOMAD.id, Phase.INVALID, reason="that is a move")
    assert factory.component(NOMAD) is not None
    put(factory, THERE, allow_move={"BOOL": True})
    factory.reaches(NOMAD.id, Phase.MOVING)
    assert factory.component(NOMAD) is not None, "the old place stays until the new one stands"
    factory.leaves(NOMAD.id, Phase.MOVING)
    status = factory.active(NOMAD)[NOMAD.id]
    assert [ref.region for ref in status.component_stacks] == ["eu-west-1"]
    assert status.former_stacks == ()
    assert factory.component(NOMAD) is None
    assert factory.component(THERE) is not None


def test_a_retired_tenant_leaves_nothing_but_its_tombstone(factory: Factory, nomad: Status) -> None:
    """Given a tenant, when it is retired, then component, pipeline and copy are gone, and it is told."""
    assert factory.cli("retire", "--yes", NOMAD.id).returncode == 0
    status = ends(factory, NOMAD.id)
    assert (status.phase, status.warnings) == (Phase.RETIRED, ())
    assert status.expires_at > 0
    assert factory.component(THERE) is None
    assert factory.stack(NOMAD.pipeline) is None
    assert factory.pipeline(NOMAD.pipeline) is None
    assert not has_copy(factory, NOMAD)
    told = json.loads(factory.cli("status", "--json", NOMAD.id).stdout)
    assert "RETIRED" in json.dumps(told)
    wait_until(
        lambda: factory.phases_told(NOMAD.id)[-2:] == ["RETIRING", "RETIRED"] or None,
        seconds=PATIENCE_SECONDS,
        what="the end to be told",
    )
    factory.remove(NOMAD)
    factory.stream_is_drained()
    after = factory.granary.status(NOMAD.id)
    assert after is not None
    assert not after.row_removed


def test_its_id_can_be_used_again(factory: Factory, nomad: Status) -> None:
    """Given a tombstone, when a row of that id is put, of another type even, then it begins anew."""
    again = replace(NOMAD, type="pool")
    factory.put(again)
    factory.leaves(NOMAD.id, Phase.RETIRED)
    status = factory.active(again)[NOMAD.id]
    assert (status.type, status.attempts, status.warnings) == ("pool", 0, ())
    assert factory.component(again) is not None


def test_what_is_gone_or_out_of_reach_does_not_keep_a_tenant_from_its_end(factory: Factory, nomad: Status) -> None:
    """Given an account that cannot be assumed any more, then the retirement ends, and names what is left."""
    with without(factory.granary, "granary-lifecycle", "sts:AssumeRole", on=f"::{WORKLOAD}:"):
        assert factory.cli("retire", "--yes", LOST.id).returncode == 0
        status = ends(factory, LOST.id)
    assert status.phase is Phase.RETIRED_WITH_WARNINGS
    assert any("pool-stray-resources" in warning for warning in status.warnings)
    assert factory.pipeline(LOST.pipeline) is None
    assert factory.component(LOST) is not None
    factory.people_hear("stray", "pool-stray-resources")
