"""A role of governance with one permission too few: nothing is half believed, and people are told what is missing."""

from __future__ import annotations

import pytest

from lambdas.lake.model.names import Zone
from local_cloud.factory.granary import TOOLCHAIN, WORKLOAD
from local_cloud.factory.lake import Lake
from tests.local.lake.governing import Governing
from tests.local.lake.tables import make_anew
from tests.local.saas.permissions import without

_DISCOVER, _APPLY, _MACHINE = "granary-lake-discover", "granary-lake-apply", "GovernanceRole"
_READ, _ADMIN = "granary-lake-catalog-read", "granary-lake-catalog-admin"


@pytest.mark.parametrize(
    ("role", "account", "action"),
    [
        (_DISCOVER, TOOLCHAIN, "sts:AssumeRole"),
        (_DISCOVER, TOOLCHAIN, "dynamodb:UpdateItem"),
        (_DISCOVER, TOOLCHAIN, "s3:PutObject"),
        (_READ, WORKLOAD, "glue:GetDatabases"),
        (_READ, WORKLOAD, "lakeformation:ListPermissions"),
    ],
)
def test_a_look_that_is_denied_makes_no_plan(governing: Governing, role: str, account: str, action: str) -> None:
    before = governing.digest()
    with without(governing.lake.granary, role, action, account=account):
        error = governing.invoke("discover")
    assert (f"{_READ} cannot be assumed" if action == "sts:AssumeRole" else action) in error["errorMessage"], error
    assert governing.digest() == before


@pytest.mark.parametrize("action", ["lakeformation:AddLFTagsToResource", "lakeformation:BatchGrantPermissions"])
def test_a_change_that_is_denied_is_not_done(governing: Governing, action: str) -> None:
    """Given a plan of several kinds of steps, then the others are done, and this one once it may be."""
    make_anew(governing.lake, Zone.CONFORMED, "trips")
    plan = governing.invoke("discover")["plan"]
    with without(governing.lake.granary, _ADMIN, action, account=WORKLOAD):
        done = governing.invoke("apply", plan=plan, approved_by="a test")
    assert any(action in one for one in done["failed"]), done
    assert done["left"] > 0
    assert governing.invoke("apply", plan=plan, approved_by="a test") == {"plan": plan, "failed": [], "left": 0}


def test_who_may_not_administer_the_catalog_applies_nothing(governing: Governing) -> None:
    make_anew(governing.lake, Zone.CONFORMED, "trips")
    plan = governing.invoke("discover")["plan"]
    with without(governing.lake.granary, _APPLY, "sts:AssumeRole", on=_ADMIN):
        error = governing.invoke("apply", plan=plan, approved_by="a test")
    assert f"{_ADMIN} cannot be assumed" in error["errorMessage"], error
    # The lease is free again.
    assert governing.invoke("apply", plan=plan, approved_by="a test")["left"] == 0


def test_people_are_told_what_a_run_may_not_do(governing: Governing) -> None:
    with without(governing.lake.granary, _DISCOVER, "sts:AssumeRole"):
        assert governing.planned() == "Not as it should be"
    governing.hears("FAILED", f"{_READ} cannot be assumed: the administrator of")


def test_people_are_told_plainly_when_nobody_can_write_the_reason(governing: Governing) -> None:
    with without(governing.lake.granary, _MACHINE, "lambda:InvokeFunction"):
        assert governing.planned() == "Not as it should be"
    governing.hears("FAILED, and people could not be told how: look at arn:")


def test_with_every_permission_back_all_is_as_the_file_says(lake: Lake, governing: Governing) -> None:
    assert governing.planned() == "As it should be"
    assert lake.runs_of_governance()[0]["status"] == "SUCCEEDED"
