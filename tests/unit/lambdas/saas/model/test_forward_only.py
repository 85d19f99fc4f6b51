"""Where nothing leads back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.forward_only import and_not_back, mark, no_way_back
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.model.tasks import Asked
from tests.unit.lambdas.saas.tasks.world import GIVEN


def _asked(execution: str) -> Asked:
    return Asked.of_parameters({**GIVEN, "execution": execution, "rollback": "never"})


def _status(deployed: str) -> Status:
    return Status(id="acme", type="silo", phase=Phase.UPDATING, revision_deployed=deployed)


def _ran(status: Status, revision: str, execution: str = "e1") -> Status:
    kept = mark(status, _asked(execution), revision=revision)
    item = {
        "id": "acme",
        "phase": "UPDATING",
        "revision_deployed": status.revision_deployed,
        "forward_only": vars(kept),
    }
    found = Status.from_item(item)
    assert isinstance(found, Status)
    return found


def test_nothing_leads_back_to_what_was_deployed_when_such_a_task_ran() -> None:
    status = _ran(_status("rev1"), "rev2")
    assert no_way_back(status, "rev1") == (
        "task Migrate (before silo-acme-resources) of release rev2 is forward-only and has run: "
        "push a release that goes forward"
    )
    assert no_way_back(status, "rev0") == ""
    assert no_way_back(_status("rev1"), "rev1") == ""


def test_another_release_that_fails_before_its_task_does_not_lead_back_either() -> None:
    """Given a release that has migrated and failed, when the next one fails earlier, then there is no way back yet."""
    assert no_way_back(_ran(_status("rev1"), "rev2"), "rev1")


def test_a_change_of_the_row_leaves_what_was_said_of_the_way_back() -> None:
    """Given that the task ran again at the revision that is deployed now, then a later release leads back to that."""
    status = _ran(_status("rev1"), "rev2")
    again = _ran(Status(**{**vars(status), "revision_deployed": "rev2"}), "rev2", "e2")
    assert no_way_back(again, "rev1")
    assert no_way_back(again, "rev2") == ""


def test_a_failure_says_that_nothing_is_rolled_back_when_the_task_ran_in_its_execution() -> None:
    status = _ran(_status("rev1"), "rev2")
    assert and_not_back(status, "why", "e1").startswith("why; not rolled back: task Migrate")
    assert and_not_back(status, "why", "e0") == and_not_back(_status(""), "why", "e1") == "why"


@given(revisions=st.lists(st.sampled_from(["rev1", "rev2", "rev3"]), max_size=6))
def test_after_a_task_of_another_revision_the_one_that_was_deployed_is_never_gone_back_to(revisions: list[str]) -> None:
    status = _status("rev0")
    for revision in revisions:
        before = status.revision_deployed
        status = _ran(status, revision)
        assert bool(no_way_back(status, before)) == (revision != before)
        status = Status(**{**vars(status), "revision_deployed": revision})
