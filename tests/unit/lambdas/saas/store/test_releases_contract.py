"""The contract of the ports that releases write with, run against the fakes and against DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.release_turns import Aside, Ending, Taking, holder
from lambdas.saas.model.runs import Ring, RingState, Run, RunState
from lambdas.saas.model.status import Observation, Outcome, Phase, StackRef, Status
from lambdas.saas.store.release_statuses import ReleaseStatuses, ReleaseStatusTable
from lambdas.saas.store.runs_table import Runs, RunsTable
from lambdas.saas.store.status_writes import write_status
from lambdas.saas.store.tables import Statuses, StatusTable
from tests.unit.lambdas.saas.fakes import RELEASE, START, FakeStatuses
from tests.unit.lambdas.saas.release_fakes import FakeReleaseStatuses, FakeRuns

LATER = START + timedelta(minutes=1)
STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
RUN = Run(run="r1", revision="abc123", state="RUNNING", strategy="rings", rings=1, deployments=1)
RING = Ring(
    run="r1",
    index=0,
    name="canary",
    state=RingState.ADVANCING.value,
    total=1,
    concurrency=1,
    allowed_failures=0,
    bake_seconds=60,
    alarms=("a",),
    changes=("silo1: old -> abc123",),
)
TAKING = Taking(
    run="r1",
    ring="canary",
    outcome=Outcome.RUNNING,
    revision="abc123",
    before="old",
    token="t1",
    claim_until=START + timedelta(hours=2),
)
NEXT = replace(RELEASE, revision="def456", published_at=stamp(LATER))


@dataclass(frozen=True)
class Tables:
    """Both tables behind their ports."""

    statuses: Statuses
    releases: ReleaseStatuses
    runs: Runs

    def status(self) -> Status:
        status = self.releases.get("silo1")
        assert status
        return status

    def ring(self) -> Ring:
        ring = self.runs.ring("r1", 0)
        assert ring
        return ring

    def take(self, **changes: Any) -> bool:
        return self.releases.take(self.status(), replace(TAKING, **changes), now=START)


@pytest.fixture(params=["fake", pytest.param("dynamodb", marks=pytest.mark.slow)])
def tables(request: pytest.FixtureRequest, silo1: DeploymentRecord) -> Tables:
    """A provisioned deployment, and a run that is in force."""
    if request.param == "fake":
        statuses, runs = FakeStatuses(), FakeRuns()
        made = Tables(statuses, FakeReleaseStatuses(statuses, runs), runs)
    else:
        make_table = request.getfixturevalue("make_table")
        client = make_table("statuses")
        make_table("releases")
        made = Tables(
            StatusTable(client=client, name="statuses"),
            ReleaseStatusTable(client=client, name="statuses", releases="releases"),
            RunsTable(client=client, name="releases"),
        )
    assert made.statuses.claim(silo1, build_id="b1", revision="old", now=START)
    assert made.statuses.provisioned(silo1, build_id="b1", stack=STACK, now=START)
    assert made.statuses.observed(
        "silo1", Observation(phase=Phase.ACTIVE, execution_id="e0", revision="old"), now=START
    )
    assert made.runs.take_over("r1", release=RELEASE, resumes="", now=START)
    made.runs.planned(RING)
    made.runs.begun(RUN)
    return made


def test_what_is_written_is_read(tables: Tables) -> None:
    assert (tables.runs.run("r1"), tables.runs.current(), tables.ring()) == (RUN, "r1", RING)
    assert tables.runs.rings(RUN) == [RING]
    assert tables.runs.release("abc123") is None
    assert tables.runs.keep(RELEASE) == RELEASE
    assert tables.runs.release("abc123") == RELEASE
    assert tables.runs.keep(replace(RELEASE, version_id="other")) == RELEASE, "it is kept once"
    assert (tables.runs.run("r0"), tables.runs.ring("r1", 1)) == (None, None)


def test_only_a_later_release_takes_over(tables: Tables) -> None:
    assert tables.runs.take_over("r1", release=RELEASE, resumes="", now=LATER), "again"
    assert not tables.runs.take_over("r0", release=RELEASE, resumes="", now=LATER)
    assert tables.runs.take_over("r2", release=NEXT, resumes="", now=LATER)
    assert not tables.runs.take_over("r1", release=RELEASE, resumes="", now=LATER)
    assert tables.runs.current() == "r2"


def test_what_a_run_was_found_to_be_the_same_as_is_kept_with_its_name(tables: Tables) -> None:
    assert tables.runs.found_same("r1") == ""
    assert tables.runs.take_over("r2", release=NEXT, resumes="", now=LATER, same_as="r1")
    assert (tables.runs.found_same("r2"), tables.runs.found_same("r1")) == ("r1", "")
    newest = replace(NEXT, revision="newest", published_at=stamp(LATER + timedelta(days=1)))
    assert tables.runs.take_over("r3", release=newest, resumes="", now=LATER)
    assert (tables.runs.found_same("r3"), tables.runs.current()) == ("", "r3")


def test_a_ring_that_was_deleted_is_not_passed_over(tables: Tables) -> None:
    """Given a run of two rings, one of which is gone, then nobody takes the other for all there is."""
    with pytest.raises(UnreadableError, match="item ring/r1/1 of the releases table was deleted"):
        tables.runs.rings(replace(RUN, rings=2))


def test_a_run_is_resumed_once(tables: Tables) -> None:
    assert not tables.runs.take_over("r2", release=RELEASE, resumes="r0", now=LATER)
    assert not tables.runs.take_over("r2", release=NEXT, resumes="r1", now=LATER)
    assert tables.runs.take_over("r2", release=RELEASE, resumes="r1", now=LATER)
    assert tables.runs.take_over("r2", release=RELEASE, resumes="r1", now=LATER), "again"
    assert not tables.runs.take_over("r3", release=RELEASE, resumes="r1", now=LATER)


def test_a_run_ends_once(tables: Tables) -> None:
    assert tables.runs.end("r1", state=RunState.STOPPED, reason="x", now=LATER)
    assert not tables.runs.end("r1", state=RunState.SUCCEEDED, reason="", now=LATER)
    assert not tables.runs.end("r0", state=RunState.STOPPED, reason="", now=LATER), "it never began"
    run = tables.runs.run("r1")
    assert run
    assert (run.state, run.reason, run.ended_at) == (RunState.STOPPED, "x", stamp(LATER))


def test_a_ring_goes_on_from_where_it_was_read(tables: Tables) -> None:
    assert tables.runs.turn(RING, to=RingState.BAKING, now=LATER, bake_until=stamp(LATER))
    assert not tables.runs.turn(RING, to=RingState.DONE, now=LATER)
    assert (tables.ring().state, tables.ring().bake_until) == (RingState.BAKING, stamp(LATER))
    assert not tables.runs.asked(RING, token="t", now=LATER)
    assert tables.runs.turn(tables.ring(), to=RingState.APPROVAL, now=LATER)
    assert tables.runs.asked(RING, token="t", now=LATER)
    assert tables.ring().approval_token == "t"


def test_a_deployment_is_taken(tables: Tables) -> None:
    assert tables.take()
    status = tables.status()
    assert (status.phase, status.revision_wanted, status.revision_before) == (Phase.UPDATING, "abc123", "old")
    assert (status.release_run, status.release_ring, status.release_outcome) == ("r1", "canary", Outcome.RUNNING)
    assert (status.claimed_by, status.task_token) == (holder("r1"), "t1")
    assert tables.take(token="t2"), "a retry has another token"
    assert tables.releases.started("silo1", token="t2", execution_id="e1", now=LATER)
    assert not tables.releases.started("silo1", token="t1", execution_id="e2", now=LATER)
    assert tables.status().release_execution_id == "e1"


def test_an_execution_that_found_no_capacity_is_kept_until_the_turn_is_over(tables: Tables) -> None:
    """Given the execution was refused a build, then the turn is to be taken again, by whoever has its token."""
    assert tables.take()
    assert tables.releases.started("silo1", token="t1", execution_id="e1", now=LATER)
    before = tables.status()
    assert tables.releases.refused(before, now=LATER)
    assert tables.status().found_no_capacity
    assert tables.take(token="t2", refused_id="e1")
    assert (tables.status().found_no_capacity, tables.status().release_refused_id) == (False, "e1")
    assert not tables.releases.refused(before, now=LATER), "it was taken again meanwhile"
    assert tables.take(token="t3")
    assert tables.status().release_refused_id == "", "another turn begins anew"


def test_nobody_takes_what_a_build_holds(tables: Tables, silo1: DeploymentRecord) -> None:
    assert tables.statuses.claim(silo1, build_id="b2", revision="old", now=START)
    assert not tables.take()
    assert tables.status().claimed_by == "b2"


def test_no_build_takes_what_a_release_holds(tables: Tables, silo1: DeploymentRecord) -> None:
    assert tables.take()
    assert not tables.statuses.claim(silo1, build_id="b2", revision="old", now=LATER)


def test_nobody_takes_what_waits_for_a_build(tables: Tables, silo1: DeploymentRecord) -> None:
    assert tables.statuses.pending(replace(silo1, size="large"), reason="", now=START)
    assert not tables.take()


def test_only_the_run_in_force_takes(tables: Tables) -> None:
    assert tables.take()
    assert tables.runs.take_over("r2", release=NEXT, resumes="", now=LATER)
    assert not tables.take(token="t2")
    assert tables.take(run="r2", token="t3")
    assert tables.status().claimed_by == holder("r2")
    assert not tables.take()


def test_nobody_takes_what_is_gone(tables: Tables) -> None:
    """Given a status that was deleted after it was read, then no half of one is written in its place."""
    read = tables.status()
    if isinstance(tables.statuses, FakeStatuses):
        del tables.statuses.items["silo1"]
    else:
        assert isinstance(tables.statuses, StatusTable)
        tables.statuses.client.delete_item(TableName="statuses", Key={"id": {"S": "silo1"}})
    assert not tables.releases.take(read, TAKING, now=START)
    assert tables.releases.get("silo1") is None


def test_what_was_read_must_still_be_so(tables: Tables) -> None:
    read = tables.status()
    assert tables.take()
    assert not tables.releases.take(read, TAKING, now=START)
    assert not tables.releases.set_aside(read, ring=RING, outcome=Aside.HELD, reason="", now=START)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED])
def test_an_outcome_is_counted_once(tables: Tables, outcome: Outcome) -> None:
    assert tables.take()
    outputs = {"eu-west-1": {"Address": "https://acme.example.com"}}
    seen = Observation(phase=Phase.ACTIVE, execution_id="e1", execution_url="u", revision="abc123", outputs=outputs)
    end = Ending(outcome=outcome, phase=Phase.ACTIVE, reason="why", told="told")
    status = tables.status()
    assert tables.releases.ended(status, end, ring=RING, now=LATER, seen=seen)
    assert not tables.releases.ended(status, end, ring=RING, now=LATER, seen=seen)
    assert not tables.releases.ended(tables.status(), end, ring=RING, now=LATER)
    assert getattr(tables.ring(), outcome) == 1
    status = tables.status()
    assert (status.phase, status.reason, status.release_reason) == (Phase.ACTIVE, "why", "told")
    assert (status.claimed_by, status.revision_deployed, status.execution_id) == ("", "abc123", "e1")
    assert status.outputs == outputs
    assert tables.releases.answered("silo1", token="t1", now=LATER)
    assert not tables.releases.answered("silo1", token="t1", now=LATER)
    assert tables.status().task_token == ""


def test_an_earlier_look_counts_nothing(tables: Tables) -> None:
    assert tables.take()
    later = Observation(phase=Phase.UPDATING, execution_id="e2")
    assert tables.statuses.observed("silo1", later, now=LATER + timedelta(minutes=1))
    end = Ending(outcome=Outcome.FAILED, phase=Phase.FAILED)
    seen = Observation(phase=Phase.FAILED, execution_id="e1")
    assert not tables.releases.ended(tables.status(), end, ring=RING, now=LATER, seen=seen)
    assert tables.ring().failed == 0


def test_a_look_of_times_to_come_bars_no_outcome(tables: Tables) -> None:
    assert tables.take()
    never = Observation(phase=Phase.UPDATING, execution_id="e1")
    assert tables.statuses.observed("silo1", never, now=LATER + timedelta(days=900))
    end = Ending(outcome=Outcome.FAILED, phase=Phase.FAILED)
    assert tables.releases.ended(tables.status(), end, ring=RING, now=LATER, seen=never)
    assert tables.ring().failed == 1


def test_a_phase_that_tells_what_comes_next_is_kept(tables: Tables) -> None:
    assert tables.take()
    assert tables.statuses.invalid("silo1", reason="region is missing", now=LATER)
    end = Ending(outcome=Outcome.SUCCEEDED, phase=Phase.ACTIVE)
    assert tables.releases.ended(tables.status(), end, ring=RING, now=LATER)
    status = tables.status()
    assert (status.phase, status.reason) == (Phase.INVALID, "region is missing")
    assert (status.release_outcome, status.claimed_by, tables.ring().succeeded) == (Outcome.SUCCEEDED, "", 1)


@pytest.mark.parametrize("outcome", list(Aside))
def test_what_is_set_aside_is_counted_once(tables: Tables, outcome: Aside) -> None:
    assert tables.releases.set_aside(tables.status(), ring=RING, outcome=outcome, reason="why", now=LATER)
    assert not tables.releases.set_aside(tables.status(), ring=RING, outcome=outcome, reason="why", now=LATER)
    status = tables.status()
    assert (status.phase, status.release_outcome, status.release_reason) == (Phase.ACTIVE, outcome, "why")
    assert getattr(tables.ring(), outcome) == 1


def pin(tables: Tables) -> None:
    """Have the deployment be one that was placed by a pin."""
    if isinstance(tables.statuses, FakeStatuses):
        known = tables.statuses.items["silo1"]
        tables.statuses.items["silo1"] = replace(known, pinned="old", pinned_at=stamp(START))
    elif isinstance(tables.statuses, StatusTable):
        facts = {"pinned": "old", "pinned_at": stamp(START)}
        assert write_status(tables.statuses.client, table="statuses", deployment_id="silo1", now=START, **facts)


def test_who_takes_a_deployment_forgets_its_pin(tables: Tables) -> None:
    pin(tables)
    assert tables.take()
    assert (tables.status().pinned, tables.status().pinned_at) == ("", "")


@pytest.mark.parametrize(("outcome", "left"), [(Aside.SKIPPED, "old"), (Aside.HELD, "old"), (Aside.FAILED, "")])
def test_a_turn_that_failed_is_owed_no_more(tables: Tables, outcome: Aside, left: str) -> None:
    pin(tables)
    assert tables.releases.set_aside(tables.status(), ring=RING, outcome=outcome, reason="why", now=LATER)
    assert tables.status().pinned == left


def test_what_cannot_be_rolled_back_is_counted_once(tables: Tables) -> None:
    assert tables.take()
    assert tables.releases.ended(
        tables.status(), Ending(outcome=Outcome.FAILED, phase=Phase.FAILED), ring=RING, now=LATER
    )
    read = tables.status()
    assert tables.releases.left(read, ring=RING, reason="why", now=LATER)
    assert not tables.releases.left(read, ring=RING, reason="why", now=LATER)
    status = tables.status()
    assert (status.release_outcome, status.release_reason, status.phase) == ("rollback_failed", "why", Phase.FAILED)
    assert (tables.ring().failed, tables.ring().rollback_failed) == (1, 1)


def test_a_superseded_run_sets_nothing_aside(tables: Tables) -> None:
    assert tables.runs.take_over("r2", release=NEXT, resumes="", now=LATER)
    assert not tables.releases.set_aside(tables.status(), ring=RING, outcome=Aside.HELD, reason="", now=LATER)
    assert tables.ring().held == 0


def test_setting_aside_gives_back_what_a_superseded_run_held(tables: Tables) -> None:
    assert tables.take()
    assert tables.runs.take_over("r2", release=NEXT, resumes="", now=LATER)
    ring = replace(RING, run="r2")
    tables.runs.planned(ring)
    assert tables.releases.set_aside(tables.status(), ring=ring, outcome=Aside.SKIPPED, reason="x", now=LATER)
    assert (tables.status().claimed_by, tables.status().task_token) == ("", "t1")
