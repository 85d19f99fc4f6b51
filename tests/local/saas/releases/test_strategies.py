"""A strategy without rings, and an execution stopped by hand: a release as its own commit asks for.

The other strategy and a bake time are played in simulated time: `tests/unit/lambdas/saas/release/test_strategies.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import yaml

from cli.common.exits import Exit
from lambdas.common.names import WHOLE_FLEET
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.runs import Ring, RingState, Run, RunState, Strategy
from lambdas.saas.model.status import Outcome, Phase, Status
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Row
from local_cloud.factory.moving import current_release
from tests.local.saas import second_commit
from tests.local.saas.factory import Factory
from tests.local.saas.releasing import becomes_current, ended, ring_is, run_ended
from tests.local.saas.wave import EARLY, GOOD

CICD = NAMES.cicd_pipeline
# More than there are tenants.
_CONCURRENCY = 40
# Put while a release waits for its approval: it gets the former one.
LATE = Row(id="latecomer", type="silo", region="us-east-1")


@dataclass(frozen=True, kw_only=True)
class Released:
    """A release and its only ring, when it was over; `before` is what was current until then."""

    before: str
    version: str
    run: Run
    ring: Ring


@dataclass(frozen=True, kw_only=True)
class Execution:
    """When a tenant's pipeline was at work for a release."""

    tenant: str
    began: datetime
    ended: datetime


def publish(factory: Factory, strategy: Strategy) -> str:
    """Commit the strategy and have CI/CD deploy it and start the release; returns the revision."""
    workspace = factory.granary.workspace
    document = yaml.safe_load((workspace.root / "config" / "toolchain.yaml").read_text(encoding="utf-8"))
    releases: dict[str, Any] = document["releases"]
    *rings, last = releases["rings"]
    rings.append({**last, "approval": True})
    changed = {**releases, "strategy": str(strategy), "concurrency": _CONCURRENCY, "rings": rings}
    workspace.configure("toolchain", {"releases": changed})
    workspace.renew_components(f"Releases go {strategy}")
    version = factory.granary.push(f"A release that goes {strategy}")
    # CI/CD asks for consent when another module has made it do so.
    if second_commit.STAGE in dict(factory.granary.stages(CICD)):
        factory.approve(CICD, second_commit.STAGE)
    factory.released(version)
    return version


def approve(factory: Factory, version: str, *, not_run: str = "") -> str:
    """Wait until the release asks people (in a run other than `not_run`), and agree; answers the run's name."""
    waiting = ring_is(factory, version, WHOLE_FLEET, RingState.APPROVAL, not_run=not_run)
    done = factory.cli("approve", "--comment", "looks good")
    assert done.returncode == 0, done.stderr
    return waiting.run


def over(factory: Factory, before: str, version: str, name: str) -> Released:
    """Wait until a run of the release has reached everybody."""
    run = run_ended(factory, name, RunState.SUCCEEDED)
    rings = factory.granary.rings(run)
    assert list(rings) == [WHOLE_FLEET]
    return Released(before=before, version=version, run=run, ring=rings[WHOLE_FLEET])


def tenants(factory: Factory, ring: Ring) -> dict[str, str]:
    """The pipelines of a ring's tenants, by id, as the ring was planned."""
    found = factory.granary.client("s3").get_object(Bucket=NAMES.releases_bucket(TOOLCHAIN, HOME), Key=ring.items)
    return {item["id"]: pipeline_name(item["type"], item["id"]) for item in json.loads(found["Body"].read())}


def executions(factory: Factory, released: Released) -> list[Execution]:
    """What the pipelines of the ring did for the release, in the order in which it was begun."""
    found = [
        Execution(tenant=tenant, began=execution["startTime"], ended=execution["lastUpdateTime"])
        for tenant, pipeline in tenants(factory, released.ring).items()
        for execution in factory.granary.executions(pipeline)
        if released.version in [source.get("revisionSummary") for source in execution["sourceRevisions"]]
    ]
    return sorted(found, key=lambda execution: execution.began)


def everybody_has(factory: Factory, released: Released) -> None:
    """The ring was the whole fleet, and all of it is at the release, which is the current one."""
    found = tenants(factory, released.ring)
    assert {row.id for row in (EARLY, *GOOD)} <= set(found)
    assert len(found) == released.run.deployments == released.ring.total == released.ring.succeeded
    for tenant in found:
        status = factory.granary.status(tenant)
        assert status is not None
        assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, released.version)
        assert (status.release_run, status.release_outcome) == (released.run.run, Outcome.SUCCEEDED)
    becomes_current(factory, released.version)


@pytest.fixture(scope="module")
def before(factory: Factory, twin: Status) -> str:
    """The release that is current when this module begins."""
    return current_release(factory.granary).revision


@dataclass(frozen=True, kw_only=True)
class Abandoned:
    """A run whose execution was stopped by hand: what was answered before the sweep, what it counted, and the run then.

    `refusals` are exit code and message by command.
    """

    refusals: dict[str, tuple[int, str]]
    counts: tuple[dict[str, Any], dict[str, Any]]
    run: Run


@pytest.fixture(scope="module")
def abandoned(factory: Factory, before: str) -> Abandoned:
    """A release to all at once; while it waits for an approval, somebody stops its execution."""
    version = publish(factory, Strategy.ALL_AT_ONCE)
    waiting = ring_is(factory, version, WHOLE_FLEET, RingState.APPROVAL)
    factory.granary.client("stepfunctions").stop_execution(executionArn=waiting.execution)
    done = {words: factory.cli(*words.split()) for words in ("approve", "resume --no-follow")}
    counts = factory.sweep(), factory.sweep()
    run = factory.granary.run(version)
    assert run is not None
    assert run.run == waiting.run
    refusals = {words: (one.returncode, one.stderr) for words, one in done.items()}
    return Abandoned(refusals=refusals, counts=counts, run=run)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("approve", f"ring {WHOLE_FLEET} does not wait any more: `granary release` shows where it stands"),
        ("resume --no-follow", "is RUNNING: wait for it"),
    ],
    ids=["approve", "resume"],
)
def test_nobody_goes_on_with_a_run_whose_execution_was_stopped(abandoned: Abandoned, words: str, said: str) -> None:
    """Given a run that nothing has told of it, then whoever acts on it is refused, and told where to look."""
    code, message = abandoned.refusals[words]
    assert code == Exit.CONFLICT
    assert said in message


def test_the_sweep_stops_such_a_run_and_says_why(factory: Factory, abandoned: Abandoned) -> None:
    """Given that, when the sweep runs once, then the run can be resumed, and people are told."""
    assert [counts["stopped"] for counts in abandoned.counts] == [1, 0]
    assert abandoned.run.state == RunState.STOPPED
    for words in ("the execution of this run is ABORTED", "`granary resume`"):
        assert words in abandoned.run.reason
    factory.people_hear(f"elease {abandoned.run.revision}", "ABORTED")


@pytest.fixture(scope="module")
def together(factory: Factory, before: str, abandoned: Abandoned) -> Released:
    """The same release, resumed and approved."""
    stopped = abandoned.run
    done = factory.cli("resume", "--no-follow")
    assert done.returncode == 0, done.stderr
    ring_is(factory, stopped.revision, WHOLE_FLEET, RingState.APPROVAL, not_run=stopped.run)
    factory.put(LATE)
    factory.active(LATE)
    name = approve(factory, stopped.revision, not_run=stopped.run)
    return over(factory, before, stopped.revision, name)


def test_a_resumed_run_goes_on_to_the_end(abandoned: Abandoned, together: Released) -> None:
    """Given a run that the sweep has stopped, when it is resumed, then another run of the same release succeeds."""
    assert (together.run.resumes, together.run.revision) == (abandoned.run.run, abandoned.run.revision)


def test_all_at_once_reaches_everybody(factory: Factory, together: Released) -> None:
    """Given that strategy in the commit, then the release that comes of this very commit has one ring for all."""
    assert (together.run.strategy, together.run.rings) == (Strategy.ALL_AT_ONCE, 1)
    assert (together.ring.state, together.ring.concurrency) == (RingState.DONE, _CONCURRENCY)
    assert together.version != together.before
    everybody_has(factory, together)


def test_all_at_once_has_all_under_way_together(factory: Factory, together: Released) -> None:
    """Given tenants that all wait for the same release, then the last one is begun before the first one is done."""
    found = executions(factory, together)
    assert {execution.tenant for execution in found} == set(tenants(factory, together.ring))
    assert max(execution.began for execution in found) < min(execution.ended for execution in found), found


def test_who_came_during_a_release_catches_up(factory: Factory, together: Released) -> None:
    """Given a tenant that got the former release while another one ran, then the sweep brings it along."""
    assert LATE.id not in tenants(factory, together.ring)
    # The event that the release is through has the sweep look at once.
    run = ended(factory, together.version, RunState.SUCCEEDED, not_run=together.run.run)
    assert (run.resumes, run.deployments) == (together.run.run, 1)
    status = factory.granary.status(LATE.id)
    assert status is not None
    assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, together.version)
    assert factory.sweep()["caught_up"] == 0, "nobody is left behind"
