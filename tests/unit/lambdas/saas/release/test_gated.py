"""Releases that need verdicts: what their gates have not passed neither begins nor is gone back to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lambdas.common.clock import stamp
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Judgement, Outcome, Verdict, verdict_key
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Outcome as Ended
from lambdas.saas.store.verdicts import ReleaseVerdicts
from tests.unit.lambdas.saas.release.world import Machine, World, drive, release_of

FLEET = tuple(f"t{number}" for number in range(5))
_GATES = ("code", "secrets")


@dataclass
class Gated:
    """A world whose releases need the verdicts of two gates, which are objects of moto's S3."""

    world: World
    s3: Any

    def release(self, number: int) -> Release:
        """Publish the n-th release with its gates."""
        release = replace(release_of(number), gates=_GATES)
        self.world.shelf.publish(release)
        return release

    def judged(
        self, release: Release, gates: Sequence[str] = _GATES, *, about: str = "", days: int = 30, **facts: Any
    ) -> None:
        """Have gates judge a release, a moment after whatever happened."""
        now = self.world.clock.pass_time(seconds=1)
        subject = Subject(name="source.zip", digest=Digest(sha256=about or release.sha256))
        known = {"outcome": Outcome.PASS, "reason": "", "tool": "t", **facts}
        times: dict[str, Any] = {"judged_at": stamp(now), "expires_at": stamp(now + timedelta(days=days))}
        for gate in gates:
            verdict = Verdict(subject=(subject,), predicate=Judgement(gate=gate, **times, **known))
            self.put(verdict_key(release.revision, verdict), verdict.to_json())

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=self.world.shelf.bucket, Key=key, Body=text.encode())

    def drive(self, release: Release, name: str = "run1", *, fails: str = "", **more: Any) -> None:
        drive(self.world, Machine(self.world, name, release, **more), fails=frozenset(fails.split()))


@pytest.fixture
def gated(aws: None) -> Gated:
    world = World()
    world.settle(*FLEET)
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=world.shelf.bucket)
    world.verdicts = ReleaseVerdicts(s3=s3, bucket=world.shelf.bucket, clock=world.clock)  # type: ignore[assignment]
    return Gated(world, s3)


def refused(gated: Gated, name: str = "run1") -> str:
    """That a run was written as refused, and nothing else was; answers its reason."""
    run = gated.world.run(name)
    assert (run.state, run.rings, run.deployments) == (RunState.STOPPED, 0, 0)
    assert name not in gated.world.runs.current()
    return run.reason


def test_a_release_that_its_gates_have_passed_goes(gated: Gated) -> None:
    release = gated.release(1)
    gated.judged(release)
    gated.drive(release)
    assert gated.world.run("run1").state == RunState.SUCCEEDED
    assert gated.world.runs.kept["rev1"].gates == _GATES


def test_a_release_without_a_verdict_is_stopped_and_can_be_started_when_it_has_one(gated: Gated) -> None:
    release = gated.release(1)
    gated.judged(release, ["code"])
    gated.drive(release)
    assert "gate secrets has left no verdict" in refused(gated)
    assert "gate code" not in refused(gated)
    assert not gated.world.pipelines.started
    assert "rev1" not in gated.world.runs.kept
    gated.judged(release, ["secrets"])
    gated.drive(release, "run2")
    assert gated.world.run("run2").state == RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"outcome": Outcome.FAIL, "reason": "HIGH x at y"}, "gate secrets says FAIL: HIGH x at y"),
        ({"outcome": Outcome.ERROR, "reason": "did not run"}, "gate secrets says ERROR: did not run"),
        ({"outcome": Outcome.INCONCLUSIVE}, "gate secrets says INCONCLUSIVE"),
        ({"about": "f" * 64}, "gate secrets is about something else (ffffffffffff) than releases/rev1/source.zip"),
        ({"days": 0}, "gate secrets judged at"),
    ],
)
def test_the_newest_verdict_counts(gated: Gated, facts: dict[str, Any], reason: str) -> None:
    """Given a gate that has passed a release and then says something else, or the other way round."""
    release = gated.release(1)
    gated.judged(release)
    gated.judged(release, ["secrets"], **facts)
    gated.drive(release)
    assert reason in refused(gated)
    gated.judged(release, ["secrets"])
    gated.drive(release, "run2")
    assert gated.world.run("run2").state == RunState.SUCCEEDED


def test_another_releases_verdict_is_none(gated: Gated) -> None:
    gated.judged(gated.release(2))
    gated.drive(gated.release(1))
    assert "gate code has left no verdict" in refused(gated)


def test_a_verdict_that_cannot_be_read_is_told_and_stops(gated: Gated) -> None:
    release = gated.release(1)
    gated.judged(release)
    gated.put("verdicts/rev1/secrets/x.json", '{"subject": []')
    gated.drive(release)
    assert "verdicts/rev1/secrets/x.json: no verdict can be read" in refused(gated)


def test_a_start_cannot_leave_out_the_gates(gated: Gated) -> None:
    """Given an object whose metadata name gates, when the machine is started with a release that names none."""
    release = gated.release(1)
    gated.drive(replace(release, gates=()))
    assert "its object says code,secrets for granary-gates, not none" in refused(gated)
    gated.drive(replace(release, gates=("code",)), "run2")
    assert "its object says code,secrets for granary-gates, not code" in refused(gated, "run2")


def test_a_release_of_before_the_gates_needs_none(gated: Gated) -> None:
    gated.drive(release_of(1))
    assert gated.world.run("run1").state == RunState.SUCCEEDED


@pytest.mark.parametrize("catch_up", [False, True])
def test_who_goes_on_with_a_release_asks_again(gated: Gated, catch_up: bool) -> None:
    """Given a release that is through, when its verdicts have expired, then nobody else gets it."""
    release = gated.release(1)
    gated.judged(release, days=1)
    gated.drive(release)
    gated.world.settle("new")
    gated.world.clock.pass_time(days=2)
    gated.drive(release, "late", resumes="run1", catch_up=catch_up)
    assert "which counts until" in refused(gated, "late")
    gated.judged(release)
    gated.drive(release, "later", resumes="run1", catch_up=catch_up)
    assert gated.world.run("later").state == RunState.SUCCEEDED
    assert gated.world.statuses.items["new"].revision_deployed == "rev1"


@pytest.fixture
def behind(gated: Gated) -> Release:
    """Everybody has release 1, whose verdicts have expired; answers release 2, which is judged."""
    first = gated.release(1)
    gated.judged(first, days=1)
    gated.drive(first)
    gated.world.clock.pass_time(days=2)
    second = gated.release(2)
    gated.judged(second)
    return second


def back(gated: Gated, release: Release) -> dict[str, set[str]]:
    """Let a release fail for all of them; answers who has come to which outcome."""
    gated.drive(release, "run2", fails=" ".join(FLEET))
    assert gated.world.run("run2").state == RunState.STOPPED
    outcomes: dict[str, set[str]] = {}
    for status in gated.world.statuses.items.values():
        if status.release_run == "run2":
            outcomes.setdefault(status.release_outcome, set()).add(status.revision_deployed)
    return outcomes


def test_a_release_whose_verdicts_have_expired_is_gone_back_to(gated: Gated, behind: Release) -> None:
    assert back(gated, behind) == {Ended.ROLLED_BACK: {"rev1"}}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"about": "f" * 64}, "is about something else (ffffffffffff)"),
        ({"outcome": Outcome.FAIL, "reason": "a secret"}, "says FAIL: a secret"),
    ],
)
def test_a_release_that_a_gate_now_holds_something_against_is_not(
    gated: Gated, behind: Release, facts: dict[str, Any], reason: str
) -> None:
    gated.judged(release_of(1), ["secrets"], **facts)
    assert set(back(gated, behind)) == {Ended.ROLLBACK_FAILED}
    reasons = [one.release_reason for one in gated.world.statuses.items.values() if one.release_run == "run2"]
    assert all(f"it could not be rolled back: gate secrets {reason}" in one for one in reasons)
    assert "rev1" not in {revision for _, revision, _ in gated.world.pipelines.started[len(FLEET) :]}


def test_whoever_approves_a_release_is_told_what_its_gates_have_found(gated: Gated) -> None:
    release = gated.release(1)
    gated.judged(release, outcome=Outcome.FAIL, counts={"HIGH": 3})
    gated.judged(release, ["secrets"], exceptions=("v1:0",), link="https://console/1")
    gated.judged(release, ["code"], counts={"LOW": 2, "MEDIUM": 1}, link="https://console/1")
    gated.drive(release)
    run = gated.world.run("run1")
    assert run.gates == "2 of 2 passed; code: 2 LOW, 1 MEDIUM; secrets: 1 excepted"
    assert run.gate_links == ("https://console/1",)


def test_of_a_release_without_gates_nothing_is_told(gated: Gated) -> None:
    gated.drive(release_of(1))
    assert gated.world.run("run1").gates == ""
