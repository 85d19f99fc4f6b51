"""Rings that demand survival: nobody of them gets a release that no tenant of an earlier ring has survived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lambdas.common.clock import stamp
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Judgement, Outcome, Verdict, survivals_of
from lambdas.saas.model.runs import RunState
from lambdas.saas.store.verdicts import ReleaseVerdicts
from tests.unit.lambdas.saas.release.world import Machine, World, drive, release_of

FLEET = tuple(f"t{number}" for number in range(5))
RELEASE = release_of(1)


@pytest.fixture
def world(aws: None) -> World:
    """The last ring demands the canaries' survival; verdicts are objects of moto's S3."""
    world = World()
    *before, last = world.policy.rings
    world.policy = replace(world.policy, rings=(*before, replace(last, demands=("canary",))))
    world.settle(*FLEET)
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=world.shelf.bucket)
    world.verdicts = ReleaseVerdicts(s3=s3, bucket=world.shelf.bucket, clock=world.clock)  # type: ignore[assignment]
    return world


def survived(world: World, outcome: Outcome = Outcome.PASS, *, days: int = 90, **facts: str) -> None:
    now = world.clock.pass_time(seconds=1)
    known = {"ring": "canary", "sha256": RELEASE.sha256, "revision": RELEASE.revision, **facts}
    verdict = Verdict(
        subject=(Subject(name="source.zip", digest=Digest(sha256=known["sha256"])),),
        predicate=Judgement(
            gate="chaos-canary",
            outcome=outcome,
            reason="as it was",
            tool="aws-fis",
            judged_at=stamp(now),
            expires_at=stamp(now + timedelta(days=days)),
        ),
    )
    verdicts: Any = world.verdicts
    key = f"{survivals_of(known['revision'], known['ring'])}t1/{stamp(now)}.json"
    verdicts.s3.put_object(Bucket=verdicts.bucket, Key=key, Body=verdict.to_json().encode())


def test_what_a_tenant_of_the_ring_has_survived_goes_on(world: World) -> None:
    """That another one has not is what the ring's budget is for."""
    survived(world)
    survived(world, Outcome.FAIL)
    drive(world, Machine(world, "run1", RELEASE))
    assert world.run("run1").state == RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "nobody has left a verdict"),
        ({"outcome": Outcome.FAIL}, "says FAIL: as it was"),
        ({"outcome": Outcome.INCONCLUSIVE}, "says INCONCLUSIVE"),
        ({"outcome": Outcome.PASS, "sha256": "f" * 64}, "is about something else"),
        ({"outcome": Outcome.PASS, "days": 0}, "counts until"),
        ({"outcome": Outcome.PASS, "ring": "early"}, "nobody has left a verdict"),
        ({"outcome": Outcome.PASS, "revision": "rev2"}, "nobody has left a verdict"),
    ],
)
def test_what_nobody_has_survived_stops_before_the_ring(world: World, facts: dict[str, Any], why: str) -> None:
    if facts:
        survived(world, **facts)
    drive(world, Machine(world, "run1", RELEASE))
    run = world.run("run1")
    assert run.state == RunState.STOPPED
    assert f"no tenant of ring canary has survived release {RELEASE.revision}" in run.reason
    assert why in run.reason
    rings = [ring.state for ring in world.runs.rings(run)]
    assert (rings[:2], rings[2]) == (["DONE", "DONE"], "WAITING")
    # A run that goes on with it asks again.
    survived(world)
    drive(world, Machine(world, "run2", RELEASE, resumes="run1"))
    assert world.run("run2").state == RunState.SUCCEEDED


def test_who_catches_up_gets_what_the_others_have(world: World) -> None:
    survived(world)
    drive(world, Machine(world, "run1", RELEASE))
    verdicts: Any = world.verdicts
    for entry in verdicts.s3.list_objects_v2(Bucket=verdicts.bucket)["Contents"]:
        verdicts.s3.delete_object(Bucket=verdicts.bucket, Key=entry["Key"])
    world.settle("late")
    drive(world, Machine(world, "run2", RELEASE, resumes="run1", catch_up=True))
    assert world.run("run2").state == RunState.SUCCEEDED
