"""A commit that changes nothing for tenants: its release becomes the current one, and no pipeline starts.

The releases of `test_strategies`, which come next, change something again, and reach everybody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import NAMES, wait_until
from local_cloud.factory.moving import current_release
from tests.local.saas import second_commit
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.releasing import becomes_current, ended
from tests.local.saas.wave import ACME, UNREACHABLE

CICD = NAMES.cicd_pipeline


@dataclass(frozen=True, kw_only=True)
class Documented:
    """A commit of documentation: its run, the status that a tenant had before, and the executions of its pipeline."""

    before: str
    run: Run
    status: Status
    executions: list[dict[str, Any]]


def remove_what_cannot_be_reached(factory: Factory) -> None:
    """Remove the row that another module may have put: its next try comes with time, and each round would count it."""
    if factory.item(UNREACHABLE.id) is None:
        return
    factory.remove(UNREACHABLE)

    def removed() -> bool | None:
        status = factory.granary.status(UNREACHABLE.id)
        return True if status is None or status.row_removed else None

    wait_until(removed, seconds=PATIENCE_SECONDS, what=f"the removal of {UNREACHABLE.id} to be noticed")


@pytest.fixture(scope="module")
def documented(factory: Factory) -> Documented:
    """Everybody is at the current release when somebody pushes a page."""
    granary = factory.granary
    factory.put(ACME)
    status, before = factory.active(ACME)[ACME.id], current_release(granary).revision
    assert status.revision_deployed == before
    executions = granary.executions(ACME.pipeline)
    remove_what_cannot_be_reached(factory)
    (granary.workspace.root / "docs" / "note.md").write_text("# A note\n", encoding="utf-8")
    granary.workspace.commit("A note")
    version = granary.push("A note")
    # CI/CD asks for consent when another module has made it do so.
    if second_commit.STAGE in dict(granary.stages(CICD)):
        factory.approve(CICD, second_commit.STAGE)
    factory.released(version)
    run = ended(factory, version, RunState.SUCCEEDED)
    becomes_current(factory, version)
    return Documented(before=before, run=run, status=status, executions=executions)


def test_a_commit_of_documentation_starts_no_pipeline(factory: Factory, documented: Documented) -> None:
    """Given it, then its run takes nobody up, the sweep finds nobody behind, and the tenant is left as it was."""
    same = factory.granary.runs.run(documented.run.same_as)
    assert same is not None
    assert (same.revision, documented.run.deployments) == (documented.before, 0)
    counts = factory.sweep()
    assert (counts["caught_up"], counts["started"], counts["lifecycle"]) == (0, 0, 0)
    assert factory.granary.executions(ACME.pipeline) == documented.executions
    status = factory.granary.status(ACME.id)
    assert status is not None
    assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, documented.before)


def test_a_tenant_that_has_the_same_counts_as_current(factory: Factory, documented: Documented) -> None:
    """And people are told why nothing has happened."""
    revision = documented.run.revision
    assert json.loads(factory.cli("status", ACME.id, "--json").stdout)["is_current"] is True
    plan = json.loads(factory.cli("plan", "release", "--json").stdout)
    assert (plan["revision"], plan["deployments"]) == (revision, 0)
    assert plan["there"] >= 1
    assert "it changes no tenant" in factory.cli("release", "--no-follow").stdout
    assert "nothing is left of it" in factory.cli("resume").stderr
    factory.people_hear(f"elease {revision} changes no tenant", f"Same for tenants as {documented.before}")
