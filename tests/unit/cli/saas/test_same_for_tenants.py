"""What the command line tells of a release that changes no tenant, and how a person takes it to them all the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3

from cli.saas.advice import after_release
from lambdas.common import dynamo
from lambdas.common.clock import moment, stamp
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState, run_name
from lambdas.saas.model.status import Outcome, Phase, Status
from tests.unit.cli.saas.factory import NOW, REGION, RELEASE, Factory, stack

NAMES = SaasNames(prefix="granary")
FIRST = replace(RELEASE, tenants="a" * 64)
SECOND = replace(
    FIRST,
    revision="def456",
    key="releases/def456/source.zip",
    version_id="v2",
    sha256="d" * 64,
    published_at=stamp(moment(NOW).replace(year=2027)),
)


def _world(factory: Factory, *, through: Release) -> Any:
    """A tenant at the first release, both releases, and the run of one that is through; the release machine."""
    factory.row("acme")
    placed = {"type": "silo", "account": "222222222222", "region": "eu-west-1"}
    stacks: dict[str, Any] = {
        "pipeline_stack": stack("pipeline", "acme"),
        "component_stacks": [stack("component", "acme")],
    }
    factory.status("acme", placed=placed, revision_deployed=FIRST.revision, revision_wanted=FIRST.revision, **stacks)
    machine = factory.machine(NAMES.release_machine)
    for release in (FIRST, SECOND):
        factory.runs.keep(release)
    name = factory.run(state="SUCCEEDED", release=through)
    if through is SECOND:
        run = factory.runs.run(name)
        assert run
        factory.runs.begun(replace(run, same_as=run_name(FIRST)))
    return machine


def _inputs(machine: Any) -> dict[str, Any]:
    (one,) = machine.list_state_machines()["stateMachines"]
    found = machine.list_executions(stateMachineArn=one["stateMachineArn"])["executions"]
    return {
        it["name"]: json.loads(machine.describe_execution(executionArn=it["executionArn"])["input"]) for it in found
    }


def test_before_it_is_released_the_plan_says_that_it_changes_nobody(factory: Factory) -> None:
    _world(factory, through=FIRST)
    plan = factory.granary("plan", "release", "--json").document
    assert (plan["revision"], plan["deployments"], plan["there"]) == (SECOND.revision, 0, 1)
    assert plan["next_step"].startswith("it changes no tenant")


def test_then_everybody_counts_as_current_and_nothing_is_left(factory: Factory) -> None:
    _world(factory, through=SECOND)
    told = factory.granary("status", "acme", "--json").document
    assert (told["is_current"], told["status"]["revision_deployed"]) == (True, FIRST.revision)
    assert f"same as: release {SECOND.revision}" in factory.granary("status", "acme").stdout
    assert f"they have the same of run {run_name(FIRST)}" in factory.granary("release", "--no-follow").stdout
    assert "nothing is left of it" in factory.granary("resume").stderr


def test_another_release_is_not_the_same(factory: Factory) -> None:
    _world(factory, through=SECOND)
    other = replace(FIRST, revision="other", tenants="b" * 64)
    factory.runs.keep(other)
    dynamo.update(factory.db, table=NAMES.status_table, key="acme", sets={"revision_deployed": "other"})
    assert factory.granary("status", "acme", "--json").document["is_current"] is False
    assert factory.granary("plan", "release", "--json").document["deployments"] == 1


def test_a_person_takes_it_to_everybody(factory: Factory) -> None:
    """Before it was released, and when its run is through."""
    machine = _world(factory, through=FIRST)
    assert factory.granary("release", "--everyone", "--no-follow").code == 0
    assert _inputs(machine)[run_name(SECOND)]["everyone"] is True


def test_a_person_takes_what_is_through_to_everybody(factory: Factory) -> None:
    machine = _world(factory, through=SECOND)
    assert factory.granary("release", "--no-follow").code == 0
    assert _inputs(machine) == {}
    assert factory.granary("release", "--everyone", "--no-follow").code == 0
    (given,) = _inputs(machine).values()
    assert (given["everyone"], given["resumes"]) == (True, run_name(SECOND))


def test_what_the_former_one_has_failed_at_does_not_come_by_itself() -> None:
    """The sweep leaves it to people; of one that an earlier, other release has failed at it does not."""
    run = Run(run="def-1", revision="def", state=RunState.SUCCEEDED, strategy="rings", rings=0, deployments=0)
    status = Status(id="acme", phase=Phase.ACTIVE, release_run="abc-1", release_outcome=Outcome.ROLLED_BACK.value)
    assert "granary resume" in after_release(status, run, ("abc-1",))
    assert "within minutes" in after_release(status, run)
    assert after_release(status, run, ("abc-1",), is_current=True).startswith("nothing")


def test_what_never_stood_is_not_said_to_be_tried_again_with_the_same(factory: Factory) -> None:
    """Given one that failed with the first release, then no plan of the next round has a build of it."""
    _world(factory, through=SECOND)
    current = replace(SECOND, contract=CONTRACT)
    ssm = boto3.client("ssm", region_name=REGION)
    ssm.put_parameter(Name=NAMES.release_parameter, Value=current.to_json(), Type="String")
    factory.row("fresh")
    factory.status("fresh", phase=Phase.FAILED, revision_deployed="", revision_wanted=FIRST.revision)
    assert factory.granary("plan", "reconcile", "--json").document == []
    dynamo.update(factory.db, table=NAMES.status_table, key="fresh", sets={"revision_wanted": "other"})
    (told,) = factory.granary("plan", "reconcile", "--json").document
    assert told["id"] == "fresh"
