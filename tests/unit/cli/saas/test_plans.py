"""`plan`: what would be done, changing nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.saas.retirement import plan_retirement
from lambdas.common import dynamo
from lambdas.common.clock import moment
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.record import parse_row
from lambdas.saas.model.status import Phase, StackRef, Status, Unreadable
from lambdas.saas.sweep.decide import decide
from tests.unit.cli.saas.factory import NAMES, NOW, PLACED, REGION, RELEASE, Factory, ref, stack

_SUPPORT = StackRef(kind="support", stack_id="arn:x:stack/support/1", account="111111111111", region="eu-west-1")


def _plan(status: Status, *others: Status) -> Any:
    return plan_retirement(status, others, grace=timedelta(hours=2), archive="snapshot", now=moment(NOW))


@given(st.permutations(["a", "b", "c"]), st.booleans())
def test_the_pipeline_goes_after_every_component_stack(names: list[str], shared: bool) -> None:
    former, *components = (ref("component", name) for name in names)
    status = Status(
        id="acme",
        phase=Phase.ACTIVE,
        placed=(PLACED,),
        pipeline_stack=ref("pipeline"),
        component_stacks=tuple(components),
        former_stacks=(former,),
        support_stacks=(_SUPPORT,),
    )
    other = Status(id="other", phase=Phase.ACTIVE, support_stacks=(_SUPPORT,) if shared else ())
    plan = _plan(status, status, other)
    kinds = [stack.kind for stack in plan.stacks]
    assert kinds == ["component"] * 3 + ["pipeline"] + ([] if shared else ["support"])
    assert plan.kept == ((_SUPPORT,) if shared else ())


def test_it_begins_after_the_grace_period() -> None:
    assert _plan(Status(id="acme", phase=Phase.ACTIVE)).begins == "2026-11-25T12:00:00.000+00:00"
    assert _plan(Status(id="acme", phase=Phase.RETIRING, retire_after=NOW)).begins == NOW
    assert _plan(Status(id="acme", phase=Phase.RETIRED)).lines() == [
        "acme is retired already: nothing would be deleted"
    ]


def test_plan_retire_tells_the_steps_in_order(factory: Factory) -> None:
    factory.row()
    factory.status(pipeline_stack=stack("pipeline"), component_stacks=[stack("component")])
    answer = factory.granary("plan", "retire", "acme")
    assert answer.stdout.splitlines()[3:5] == [
        "4. delete the component stack silo-acme-resources in account 222222222222, eu-west-1",
        "5. delete the pipeline stack silo-acme-pipeline in account 222222222222, eu-west-1",
    ]
    assert factory.granary("plan", "retire", "nobody").code == 3


def test_plan_reconcile_is_the_sweeps_own_decision(factory: Factory) -> None:
    """Given a settled deployment, one whose pipeline is gone, a new row, an invalid and a removed one, all but one
    are told.
    """
    _publish(factory)
    for name in ("settled", "lost"):
        factory.row(name)
        component, pipeline = [stack("component", name)], stack("pipeline", name)
        factory.status(name, revision_deployed=RELEASE.revision, component_stacks=component, pipeline_stack=pipeline)
    factory.deleted = {"silo-lost-pipeline"}
    factory.row("fresh")
    factory.row("spoilt", region="mars-1")
    factory.status("gone")
    before = _everything(factory)
    answer = factory.granary("plan", "reconcile", "--json")
    assert [(intent["id"], intent["action"]) for intent in answer.document] == [
        ("fresh", "start a provisioning build"),
        ("gone", "say removed"),
        ("lost", "start a provisioning build"),
        ("spoilt", "say invalid"),
    ]
    assert _everything(factory) == before


def test_plans_know_that_a_pipeline_was_deleted(factory: Factory) -> None:
    """Given a tenant whose pipeline somebody has deleted, then plans say what the sweep and a release do about it."""
    _publish(factory)
    factory.runs.keep(RELEASE)
    factory.row()
    stacks: dict[str, Any] = {"pipeline_stack": stack("pipeline"), "component_stacks": [stack("component")]}
    factory.status(revision_deployed="old", placed=vars(PLACED), **stacks)
    factory.deleted = {"silo-acme-pipeline"}
    (intent,) = factory.granary("plan", "reconcile", "--json").document
    assert intent["action"] == "start a provisioning build"
    planned = factory.granary("plan", "release", "--json").document
    assert planned["deployments"] == 0
    assert [one["reason"] for one in planned["skipped"]] == ["its pipeline is gone, and it is not provisioned yet"]


def test_plan_reconcile_knows_what_a_removed_row_does(factory: Factory) -> None:
    factory.status("gone")
    toolchain = factory.directory / "toolchain.yaml"
    toolchain.write_text(f"{toolchain.read_text()}lifecycle:\n  on_row_removed: retire\n")
    answer = factory.granary("plan", "reconcile", "--json")
    assert [(intent["id"], intent["action"]) for intent in answer.document] == [
        ("gone", "say removed, and start the lifecycle machine")
    ]


def test_plan_reconcile_knows_that_many_removed_rows_retire_nobody(factory: Factory) -> None:
    for number in range(6):
        factory.status(f"gone{number}")
    toolchain = factory.directory / "toolchain.yaml"
    toolchain.write_text(f"{toolchain.read_text()}lifecycle:\n  on_row_removed: retire\n")
    answer = factory.granary("plan", "reconcile", "--json")
    assert {intent["action"] for intent in answer.document} == {"say removed"}
    assert '{"retire_removed": 6}' in answer.stderr


def test_plan_reconcile_says_when_there_is_no_release(factory: Factory) -> None:
    factory.row("fresh")
    assert factory.granary("plan", "reconcile").stdout.startswith("fresh: wait for a release")
    _publish(factory, contract=CONTRACT + 1)
    assert factory.granary("plan", "reconcile").stdout.startswith("fresh: wait for a release")


def test_plan_release_shows_rings_and_who_is_left_out(factory: Factory) -> None:
    factory.runs.keep(RELEASE)
    for name in ("a", "b", "c"):
        factory.row(name, ring="canary" if name == "a" else "general")
        factory.status(
            name,
            revision_deployed="old",
            pipeline_stack=stack("pipeline", name),
            component_stacks=[stack("component", name)],
            placed={"type": "silo", "account": "222222222222", "region": "eu-west-1"},
        )
    factory.deleted = {"silo-c-pipeline"}
    factory.row("off", state="suspended")
    factory.row("spoilt", region="mars-1")
    before = _everything(factory)
    answer = factory.granary("plan", "release", "--json")
    rings = {ring["name"]: ring["deployments"] for ring in answer.document["rings"]}
    assert rings["canary"] == ["a"]
    assert sorted(name for found in rings.values() for name in found) == ["a", "b"]
    skipped = {one["id"]: one["reason"] for one in answer.document["skipped"]}
    assert list(skipped) == ["c", "off", "spoilt"]
    assert skipped["c"] == "its pipeline is gone, and it is not provisioned yet"
    text = factory.granary("plan", "release").stdout
    assert f"a (silo, 222222222222, eu-west-1): old -> {RELEASE.revision}" in text
    assert _everything(factory) == before


def test_plan_release_without_a_release(factory: Factory) -> None:
    assert factory.granary("plan", "release").code == 3
    assert factory.granary("plan", "release", "--revision", "nope").code == 3


def _publish(factory: Factory, *, contract: int = CONTRACT) -> None:
    ssm, release = boto3.client("ssm", region_name=REGION), replace(RELEASE, contract=contract)
    ssm.put_parameter(Name=NAMES.release_parameter, Value=release.to_json(), Type="String")


def _everything(factory: Factory) -> list[Any]:
    tables = (NAMES.deployments_table, NAMES.status_table, NAMES.releases_table)
    return [sorted(dynamo.scan_pages(factory.db, table=table), key=lambda item: str(item["id"])) for table in tables]


def test_the_sweep_leaves_alone_what_cannot_be_read(factory: Factory) -> None:
    factory.row("bad")
    factory.status("bad", phase="HIBERNATING")
    factory.row("new")
    answer = factory.granary("plan", "reconcile", "--json")
    assert [intent["id"] for intent in answer.document] == ["new"]
    assert "nothing is done about deployment bad: its status cannot be read" in " ".join(answer.stderr.split())


@pytest.mark.parametrize("part", ["lambdas.saas.model.wishes.parse_row", "cli.saas.reconcile.decide"])
@pytest.mark.parametrize("words", [("plan", "reconcile"), ("plan", "release")])
def test_who_the_program_fails_at_is_named_and_the_others_are_planned(
    factory: Factory, part: str, words: tuple[str, ...]
) -> None:
    factory.runs.keep(RELEASE)
    for name in ("bad", "new"):
        factory.row(name)
    parse, decides = parse_row, decide

    def failing(given: Any, *more: Any, **named: Any) -> Any:
        if "bad" in (given["id"] if isinstance(given, dict) else given.id):
            raise RuntimeError("the program fails")
        return (parse if part.endswith("parse_row") else decides)(given, *more, **named)

    factory.monkeypatch.setattr(part, failing)
    answer = factory.granary(*words)
    told = " ".join((answer.stdout + answer.stderr).split())
    assert answer.code == 0
    assert "new: " in told
    assert "Traceback" not in told
    if words[1] == "reconcile" or part.endswith("parse_row"):
        assert "RuntimeError: the program fails" in told


def test_a_support_stack_stays_when_another_status_cannot_be_read() -> None:
    status = Status(id="acme", phase=Phase.ACTIVE, support_stacks=(_SUPPORT,))
    other = Unreadable(id="bad", why="phase is missing")
    plan = plan_retirement(status, [status, other], grace=timedelta(), archive="none", now=moment(NOW))
    assert (plan.stacks, plan.kept) == ((), (_SUPPORT,))
