"""`repair`: what cannot be read is mended by a command."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given

from cli.saas.repair import repair_of, why_not_now
from lambdas.common import dynamo
from lambdas.common.clock import moment, stamp
from lambdas.common.versioned_json import plain
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.runs import Run
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.sweep.decide import Action, Round, decide
from tests.unit.cli.saas.factory import NAMES, NOW, PLACED, REGION, RELEASE, Factory, stack
from tests.unit.lambdas.saas.strategies import items
from tests.unit.lambdas.saas.test_readers import STATUS

_WISH = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")
_LATER = stamp(moment(NOW) + timedelta(hours=1))
_SEEN = Round(now=moment(NOW) + timedelta(minutes=5), ended_builds=frozenset(), revision="next")


@pytest.fixture
def factory(factory: Factory) -> Factory:
    """A factory whose builds are all over."""
    factory.monkeypatch.setattr("lambdas.saas.store.builds.ProvisioningBuilds.ended", lambda _self, ids: set(ids))
    return factory


def read_status(factory: Factory, deployment_id: str = "acme") -> Any:
    item = dynamo.get(factory.db, table=NAMES.status_table, key=deployment_id)
    return Status.from_item(item) if item else None


@given(items(plain(STATUS)))
def test_whatever_a_status_held_it_can_be_read_when_it_was_repaired(item: dict[str, Any]) -> None:
    """Given any item, then nobody holds it, the sweep sees to it, and what could be read of it is kept."""
    item["id"] = {"S": "acme"}
    repair = repair_of(item)
    assert all(line.strip() for line in repair.lines())
    assert repair.document()["seen"].keys() == item.keys() - {"task_token"}
    found = Status.from_item(dynamo.read_item(repair.repaired(moment(NOW))))
    assert isinstance(found, Status)
    assert (found.claimed_by, found.claim_expires_at, found.attempts, found.updated_at) == ("", "", 0, NOW)
    known = repair.status
    kept = set(plain(STATUS)) & repair.kept.keys()
    changed = {"phase", "reason", "retry", "updated_at", "claimed_by", "claim_expires_at", "attempts"}
    assert all(getattr(found, name) == getattr(known, name) for name in kept - changed)
    if found.phase is Phase.FAILED:
        assert decide(_WISH, found, _SEEN) in (Action.START, Action.LIFECYCLE)
    else:
        assert found.phase in {Phase.SUSPENDED, Phase.RETIRING, *ENDED}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("phase", "HIBERNATING"), ("updated_at", "yesterday"), ("reason", 7), ("component_stacks", [{"kind": "x"}])],
)
def test_a_repaired_tenant_is_provisioned_again_at_its_revision(factory: Factory, attribute: str, value: Any) -> None:
    factory.row()
    stacks = {"pipeline_stack": stack("pipeline"), "former_stacks": [stack("component")]}
    factory.status(**{"revision_deployed": "4f2c9d1", "attempts": 9, **stacks, attribute: value})
    in_a_column = attribute != "component_stacks"
    assert ("UNREADABLE" in factory.granary("list").stdout) is in_a_column
    assert "`granary repair acme`" in factory.granary("status", "acme").stderr
    answer = factory.granary("repair", "acme", "--yes")
    assert answer.code == 0
    assert f"{attribute} is removed: " in answer.stderr
    assert "the next round of the sweep sees to the deployment" in answer.stdout
    found = read_status(factory)
    assert (found.phase, found.revision_deployed) == (Phase.FAILED, "4f2c9d1")
    assert [one.kind for one in found.former_stacks] == ["component"]
    plan = factory.granary("plan", "reconcile", "--json").document
    assert [(intent["id"], intent["action"]) for intent in plan] == [("acme", "wait for a release")]


def test_what_nobody_writes_again_is_shown_whole_and_its_good_entries_are_kept(factory: Factory) -> None:
    factory.row()
    factory.status(former_stacks=[stack("component"), {**stack("component"), "stack_id": 7}])
    answer = factory.granary("repair", "acme", "--yes")
    assert "nobody writes former_stacks again" in " ".join(answer.stderr.split())
    assert [one.stack_id for one in read_status(factory).former_stacks] == [stack("component")["stack_id"]]


def test_without_consent_nothing_is_changed(factory: Factory) -> None:
    factory.row()
    factory.status(reason=7, task_token="secret")
    before = dynamo.get(factory.db, table=NAMES.status_table, key="acme")
    for words in ((), ("--json",)):
        answer = factory.granary("repair", "acme", *words)
        assert (answer.code, answer.stdout) == (2, "")
        assert "--yes" in answer.stderr
        assert "secret" not in answer.stderr
    assert dynamo.get(factory.db, table=NAMES.status_table, key="acme") == before
    document = factory.granary("repair", "acme", "--yes", "--json").document
    assert document["removed"] == {"reason": "Decimal('7') is no str"}
    assert "task_token" not in document["seen"]


def test_what_can_be_read_or_is_not_there_is_not_repaired(factory: Factory) -> None:
    factory.status()
    for name, code, said in (("acme", 5, "can be read"), ("nobody", 3, "has no status")):
        answer = factory.granary("repair", name, "--yes")
        assert (answer.code, said in answer.stderr) == (code, True)
    assert factory.granary("repair").code == 2
    assert factory.granary("repair", "acme", "--release").code == 2


def test_a_status_that_changes_meanwhile_is_left_alone(factory: Factory) -> None:
    factory.row()
    factory.status(reason=7)

    def changes(*_given: Any, **_more: Any) -> str:
        factory.status(reason=8, updated_at=_LATER)
        return ""

    factory.monkeypatch.setattr("cli.saas.commands.repair.why_not_now", changes)
    answer = factory.granary("repair", "acme", "--yes")
    assert answer.code == 5
    assert "changed meanwhile" in answer.stderr
    assert dynamo.get(factory.db, table=NAMES.status_table, key="acme")["reason"] == 8  # type: ignore[index]


@pytest.mark.parametrize("spoilt", ["claimed_by", "reason", "claim_expires_at"])
def test_under_a_running_build_it_is_refused(factory: Factory, spoilt: str) -> None:
    build_id = f"{NAMES.provisioning_project}:b1"
    factory.row()
    held: dict[str, Any] = {
        "build_id": build_id,
        "claimed_by": build_id,
        "claim_expires_at": _LATER,
        "phase": "PROVISIONING",
    }
    factory.status(**{**held, spoilt: 7})
    factory.monkeypatch.setattr("lambdas.saas.store.builds.ProvisioningBuilds.ended", lambda _self, _ids: set())
    answer = factory.granary("repair", "acme", "--yes")
    assert answer.code == 5
    assert f"build {build_id} is under way" in " ".join(answer.stderr.split())
    factory.monkeypatch.setattr("lambdas.saas.store.builds.ProvisioningBuilds.ended", lambda _self, ids: set(ids))
    assert factory.granary("repair", "acme", "--yes").code == 0, "the build is over"


@pytest.mark.parametrize(
    "spoilt", [{"reason": 7}, {"claimed_by": 7}, {"release_run": 7}, {"release_outcome": 7}, {"claim_expires_at": "x"}]
)
def test_under_a_running_release_it_is_refused(factory: Factory, spoilt: dict[str, Any]) -> None:
    run = factory.run()
    factory.row()
    its = {"claimed_by": f"release/{run}", "claim_expires_at": NOW, "release_run": run, "release_outcome": "running"}
    factory.status(**{**its, **spoilt})
    answer = factory.granary("repair", "acme", "--yes")
    assert answer.code == 5
    assert f"run {run} of a release is under way" in " ".join(answer.stderr.split())


def test_under_the_lifecycle_machine_it_is_refused() -> None:
    held = {**plain(STATUS), "reason": 7, "claimed_by": "lifecycle/e", "claim_expires_at": _LATER}
    repair = repair_of({name: dynamo.write_value(value) for name, value in held.items()})
    assert "lifecycle/e holds it until" in why_not_now(repair, running=set(), run=None, now=moment(NOW))
    assert not why_not_now(repair, running=set(), run=None, now=moment(NOW) + timedelta(hours=2))


def parameter(text: str = "") -> ReleaseParameter:
    """The release parameter; with a text, one that holds it."""
    ssm = boto3.client("ssm", region_name=REGION)
    if text:
        ssm.put_parameter(Name=NAMES.release_parameter, Value=text, Type="String")
    return ReleaseParameter(client=ssm, name=NAMES.release_parameter)


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "",
        replace(RELEASE, version_id="no-such-version").to_json(),
        replace(RELEASE, sha256="e" * 64).to_json(),
        replace(RELEASE, revision="never-published").to_json(),
    ],
    ids=["unreadable", "gone", "another version", "other bytes", "unknown"],
)
def test_the_parameter_gets_the_newest_release_that_is_through(factory: Factory, text: str) -> None:
    """Given releases, of which the newest was stopped, then the one before it is written, and rows are taken up."""
    factory.run(state="SUCCEEDED")
    for number, state in ((0, "SUCCEEDED"), (2, "STOPPED")):
        other = replace(RELEASE, revision=f"r{number}", sha256=f"{number}" * 64, published_at=f"2026-11-2{4 + number}")
        factory.runs.keep(other)
        factory.runs.begun(
            Run(run=f"r{number}-x", revision=other.revision, state=state, strategy="rings", rings=0, deployments=0)
        )
    dynamo.put(factory.db, table=NAMES.releases_table, item={"id": "run/spoilt", "run": 7})
    current = parameter(text)
    answer = factory.granary("repair", "--release", "--yes")
    assert answer.code == 0
    assert f"release {RELEASE.revision}" in answer.stdout
    assert current.current() == RELEASE
    again = factory.granary("repair", "--release", "--yes")
    assert (again.code, "nothing to repair" in again.stderr) == (5, True)


def test_the_row_that_waits_for_the_parameter_says_the_command(factory: Factory) -> None:
    parameter("garbage")
    reason = (
        f"waiting: the release parameter {NAMES.release_parameter} holds no release (x): run `granary repair --release`"
    )
    factory.row()
    factory.status(phase="PENDING", reason=reason)
    assert "next step: run `granary repair --release`" in factory.granary("status", "acme").stdout
    assert factory.granary("plan", "reconcile").code == 0


def test_before_any_release_is_through_nothing_can_be_written(factory: Factory) -> None:
    current = parameter("garbage")
    factory.run(state="STOPPED")
    answer = factory.granary("repair", "--release", "--yes")
    assert answer.code == 3
    assert "no release is known that SUCCEEDED" in " ".join(answer.stderr.split())
    assert current.client.get_parameter(Name=current.name)["Parameter"]["Value"] == "garbage"


@pytest.mark.parametrize("run", [7, None, "x" * 3_000, "two words", "a/b"])
def test_a_run_in_force_that_cannot_be_read_is_forgotten(factory: Factory, run: object) -> None:
    parameter(RELEASE.to_json())
    factory.runs.keep(RELEASE)
    dynamo.put(factory.db, table=NAMES.releases_table, item={"id": "current", "run": run})
    assert "`granary repair --release`" in factory.granary("release", "--no-follow").stderr
    assert factory.granary("repair", "--release").code == 2
    answer = factory.granary("repair", "--release", "--yes", "--json")
    assert (answer.code, answer.document["current_removed"]) == (0, True)
    assert factory.runs.current() == ""


def test_placed_is_what_a_repair_keeps() -> None:
    status = Status(id="acme", phase=Phase.ACTIVE, placed=(PLACED,))
    typed = {name: dynamo.write_value(value) for name, value in plain(status).items()}
    assert repair_of({**typed, "reason": {"N": "7"}}).status.placed == (PLACED,)
