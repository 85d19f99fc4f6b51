"""A row becomes a tenant: in two accounts and two Regions, before and after the first release."""

from __future__ import annotations

import json

import pytest

from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.row_rules import ID_PATTERN
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import HOME, TOOLCHAIN, Row
from local_cloud.factory.moving import current_release
from tests.local.saas.factory import Factory
from tests.local.saas.sights import variables
from tests.local.saas.wave import EARLY, GOOD


def test_a_row_put_before_the_first_release_waits_and_says_so(waiting_early: Status) -> None:
    """Given no release, when a row is put, then it waits, with a reason that says what for."""
    assert waiting_early.phase is Phase.PENDING
    assert waiting_early.reason == (
        "waiting: no release has been published yet: push the source; provisioning begins when CI/CD has passed it"
    )
    assert waiting_early.build_id == ""


def test_the_first_release_takes_the_waiting_row_up(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a waiting row, when the first release is published, then that alone makes it a tenant."""
    told = factory.hears(EARLY.id, "PENDING", "PROVISIONING", "ACTIVE")
    assert [(detail["to"], bool(detail["reason"])) for detail in told] == [
        ("PENDING", False),
        ("PENDING", True),
        ("PENDING", False),
        ("PROVISIONING", False),
        ("ACTIVE", False),
    ]
    assert wave[EARLY.id].revision_deployed == current_release(factory.granary).revision
    build = factory.builds_of(EARLY.id)[-1]
    assert "granary-sweep" in build["initiator"]


@pytest.mark.parametrize("row", GOOD, ids=lambda row: f"{row.type}-{row.id}")
def test_a_row_ends_as_an_active_tenant(factory: Factory, wave: dict[str, Status], row: Row) -> None:
    """Given a release, when a row is put, then its component stands where the row says, and the status knows it."""
    status, release = wave[row.id], current_release(factory.granary)

    assert (status.phase, status.reason) == (Phase.ACTIVE, "")
    assert status.revision_wanted == status.revision_deployed == release.revision
    assert not status.claimed_by

    pipeline_stack = factory.stack(row.pipeline)
    assert pipeline_stack is not None
    assert status.pipeline_stack is not None
    assert (status.pipeline_stack.stack_id, status.pipeline_stack.account, status.pipeline_stack.region) == (
        pipeline_stack["StackId"],
        TOOLCHAIN,
        HOME,
    )

    component = factory.component(row)
    assert component is not None
    assert component["StackStatus"] == "CREATE_COMPLETE"
    recorded = [(stack.kind, stack.stack_id, stack.account, stack.region) for stack in status.component_stacks]
    assert recorded == [("component", component["StackId"], row.account, row.region)]
    assert f":{row.region}:{row.account}:" in component["StackId"]
    # What it declares public, and nothing else of its outputs.
    public = factory.public(row)
    assert status.outputs == ({row.region: public} if public else {})

    newest = factory.granary.executions(row.pipeline)[0]
    assert (newest["pipelineExecutionId"], newest["status"]) == (status.execution_id, "Succeeded")
    assert f"/pipelines/{row.pipeline}/executions/{status.execution_id}/" in status.execution_url


@pytest.mark.parametrize("row", GOOD, ids=lambda row: f"{row.type}-{row.id}")
def test_every_phase_of_a_row_is_published(factory: Factory, wave: dict[str, Status], row: Row) -> None:
    """Given a listener on the bus, then it hears of every phase, what it means and what comes next."""
    told = factory.hears(row.id, "PENDING", "PROVISIONING", "ACTIVE")
    last = told[-1]
    status = wave[row.id]
    wanted = {"type": row.type, "account": row.account, "region": row.region, "reason": ""}
    assert {name: last[name] for name in wanted} == wanted
    assert (last["execution_id"], last["revision_deployed"]) == (status.execution_id, status.revision_deployed)
    assert json.loads(last["outputs"]) == status.outputs
    assert all(detail["next_step"] for detail in told)


def test_components_are_where_their_rows_say_and_nowhere_else(factory: Factory, wave: dict[str, Status]) -> None:
    """Each place holds the components of its own rows."""
    rows = (EARLY, *GOOD)
    wanted = {component_stack_name(row.type, row.id): (row.account, row.region) for row in rows}
    for place in {(row.account, row.region) for row in rows}:
        client = factory.granary.client("cloudformation", account=place[0], region=place[1])
        names = {stack["StackName"] for stack in client.describe_stacks()["Stacks"]}
        assert names & set(wanted) == {name for name, where in wanted.items() if where == place}


def test_builds_get_ids_and_the_release_and_nothing_else(factory: Factory, wave: dict[str, Status]) -> None:
    """What a person wrote into a row never reaches a build's environment, apart from the id."""
    for build in factory.builds():
        given = variables(build)
        assert set(given) == {"DEPLOYMENT_IDS", "RELEASE"}
        ids, release = json.loads(given["DEPLOYMENT_IDS"]), json.loads(given["RELEASE"])
        assert all(ID_PATTERN.fullmatch(deployment_id) for deployment_id in ids)
        assert set(release) == {"revision", "key", "version_id", "sha256", "published_at", "contract", "tenants"}
        assert build["sourceVersion"] == release["version_id"]
