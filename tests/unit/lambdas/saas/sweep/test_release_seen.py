"""What the dashboard shows of releases, as the sweep reads it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from lambdas.saas.model.metric_names import NOT_AT_WANTED_REVISION
from lambdas.saas.model.runs import Ring, Run, RunState
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.sweep.fleet import RINGS_LIMIT, ReleaseSeen, release_metrics
from lambdas.saas.sweep.release_seen import see_release
from tests.unit.lambdas.saas.fakes import RELEASE, FakeReleases
from tests.unit.lambdas.saas.release_fakes import FakeRuns

FIRST = Run(run="new", revision="new", state=RunState.RUNNING, strategy="rings", rings=2, deployments=9)
RESUMED = replace(FIRST, run="new-r2", resumes="new")


def ring(run: str, index: int) -> Ring:
    return Ring(
        run=run,
        index=index,
        name=f"ring-{index}",
        state="WAITING",
        total=1,
        concurrency=1,
        allowed_failures=0,
        bake_seconds=0,
    )


@dataclass
class CountingRuns(FakeRuns):
    """Remembers which rings were asked for."""

    asked_for: list[int] = field(default_factory=list)

    def ring(self, run: str, index: int) -> Ring | None:
        self.asked_for.append(index)
        return super().ring(run, index)


def known(*runs: Run, force: str) -> CountingRuns:
    rings = {(run.run, index): ring(run.run, index) for run in runs for index in range(run.rings)}
    return CountingRuns(runs={run.run: run for run in runs}, all_rings=rings, force={"run": force})


def test_before_the_first_release_nothing_is_known() -> None:
    assert see_release(FakeRuns(), FakeReleases(release=None)) == ReleaseSeen()


@pytest.mark.parametrize("force", ["", "being-planned"])
def test_without_a_run_the_current_release_is_wanted(force: str) -> None:
    assert see_release(known(force=force), FakeReleases()) == ReleaseSeen(wanted=RELEASE.revision)


def test_the_first_release_is_wanted_while_it_is_under_way() -> None:
    seen = see_release(known(FIRST, force="new"), FakeReleases(release=None))
    assert (seen.wanted, seen.lineage) == ("new", ("new",))
    assert [one.name for one in seen.rings] == ["ring-0", "ring-1"]


def test_a_resumed_run_is_seen_with_what_it_goes_on_with() -> None:
    stopped = replace(FIRST, state=RunState.STOPPED)
    seen = see_release(known(stopped, RESUMED, force="new-r2"), FakeReleases())
    assert seen.lineage == ("new-r2", "new")
    assert {one.run for one in seen.rings} == {"new-r2"}


def test_rings_beyond_the_limit_are_not_read() -> None:
    runs = known(replace(FIRST, rings=RINGS_LIMIT + 9), force="new")
    assert len(see_release(runs, FakeReleases()).rings) == RINGS_LIMIT
    assert max(runs.asked_for) == RINGS_LIMIT - 1


@pytest.mark.parametrize(("state", "same_as", "counts"), [
    (RunState.SUCCEEDED, "", True),
    (RunState.SUCCEEDED, "old", True),
    (RunState.RUNNING, "old", True),
    (RunState.RUNNING, "", False),
    (RunState.STOPPED, "", True),
])  # fmt: skip
def test_what_is_the_same_as_the_current_release_is_not_behind(state: RunState, same_as: str, counts: bool) -> None:
    """While a run takes another release to tenants, nothing is the same as that: nobody has looked at it yet."""
    run = replace(FIRST, state=state, same_as=same_as)
    runs = known(run, force="new")
    current = replace(RELEASE, revision="new" if state == RunState.SUCCEEDED else "newest", tenants="a" * 64)
    old = replace(RELEASE, revision="old", tenants="a" * 64)
    other = replace(RELEASE, revision="other", tenants="b" * 64)
    runs.kept = {one.revision: one for one in (current, old, other)}
    statuses = [Status(id=one, phase=Phase.ACTIVE, revision_deployed=one) for one in ("old", "other", "gone")]
    seen = see_release(runs, FakeReleases(release=current), statuses)
    assert ("old" in seen.same) is counts
    assert "other" not in seen.same
    (behind,) = (one.value for one in release_metrics(statuses, seen) if one.name == NOT_AT_WANTED_REVISION)
    assert behind == (2 if counts else 3)
