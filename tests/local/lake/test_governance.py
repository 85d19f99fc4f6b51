"""Who may read what: from a file to a query that Lake Formation refuses, on the deployed factory with IAM enforced.

One story: each test goes on where the one before has ended. Tables are made without Spark.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common import clock
from lambdas.lake.model.names import Zone
from local_cloud.factory.granary import HOME, WORKLOAD
from local_cloud.factory.lake import GOVERNANCE, LAKE, PERMISSIONS, Lake, permissions
from local_cloud.factory.lake_people import People, RefusedError
from tests.local.lake.conftest import released
from tests.local.lake.governing import Governing
from tests.local.lake.tables import grant, make_anew, make_table
from tests.local.saas.permissions import without

_CONFORMED, _BUILT = LAKE.database(Zone.CONFORMED), LAKE.database(Zone.PURPOSE_BUILT)
_ANALYST, _ENGINEER, _VISITOR, _NEWCOMER = "teams/analyst", "trips-engineer", "visitor", "newcomer"
_PLAIN = ("vendor_id", "fare_amount")  # columns without personal data
_PLACES = "pickup_location_id", f"{_BUILT}.trips_by_zone"
_DENIED = "Insufficient Lake Formation permission"
_RECORD = {
    "name": "zone-reports",
    "classes": ["location"],
    "purpose": "Plan where vehicles wait",
    "legal_basis": "legitimate_interests",
    "recipients": ["Fleet"],
    "third_country_transfer": "none",
    "retention": "60 days",
    "owner": "privacy@example.com",
    "valid_until": "2099-12-31",
}


@pytest.fixture
def faults(lake: Lake) -> Iterator[Any]:
    """The faults of the cloud, which are over after the test."""
    yield lake.granary.cloud.faults
    lake.granary.cloud.faults.clear()


@pytest.fixture(scope="module", autouse=True)
def tables(lake: Lake, people: People) -> None:
    """Tables with and without personal data, one of before Lake Formation, and a grant that somebody made by hand."""
    make_table(lake, Zone.CONFORMED, "trips")
    make_table(lake, Zone.PURPOSE_BUILT, "trips_by_zone")
    make_table(lake, Zone.PURPOSE_BUILT, "fares", _PLAIN)
    make_table(lake, Zone.PURPOSE_BUILT, "old", open_=True)
    people.role(_VISITOR)
    grant(lake, _role(_VISITOR), Zone.PURPOSE_BUILT, "trips_by_zone", "SELECT")


def _role(name: str) -> str:
    return f"arn:aws:iam::{WORKLOAD}:role/{name}"


def test_a_plan_waits_when_somebody_gains_personal_data(governing: Governing, people: People) -> None:
    """Given new tables, then the plan says who gains personal data of them, and to whom they are refused, and why."""
    assert people.read(_VISITOR, "pickup_location_id", f"{_BUILT}.old") == [["74"], ["75"]]
    assert governing.planned() == "Waits for approval"
    page = governing.last(wanted=1)
    assert f"{_role(_ENGINEER)} (data_domain_engineer) gains personal data of class location" in page
    assert "| analyst | granary_lake_dev_purpose_built: trips_by_zone | pickup_location_id |" in page
    assert "personal data (location) without a record of processing: name one, or exclude_pii" in page
    assert f"{_role(_VISITOR)} has SELECT on {_BUILT}.trips_by_zone, which no rule grants" in page
    assert f"Everybody whom IAM lets in may use {_BUILT}.old, whatever the file says" in page
    assert f"revoke IAM_ALLOWED_PRINCIPALS: SELECT on {_BUILT}.old (it lets everybody in whom IAM lets in)" in page
    assert "granary-lake-execution" not in page
    assert f"granary lake apply {governing.digest()}" in governing.hears("a plan waits for approval", "refused")


def test_a_plan_is_approved_by_its_digest(governing: Governing) -> None:
    governing.granary("apply", "0" * 12, wanted=5)
    assert governing.applied() == "Applied"
    assert governing.planned() == "As it should be"
    assert "None: all is as the file says." in governing.last()


def test_a_query_for_personal_data_without_a_record_is_refused_by_lake_formation(people: People) -> None:
    assert people.read(_ENGINEER, *_PLACES) == [["74"], ["75"]]
    with pytest.raises(RefusedError, match="'pickup_location_id' cannot be resolved or requester is not authorized"):
        people.read(_ANALYST, *_PLACES)
    assert people.read(_ANALYST, "sum(trips)", f"{_BUILT}.trips_by_zone") == [["5"]]
    assert people.read("dashboards", "vendor_id", f"{_BUILT}.trips_by_zone") == [["1"], ["6"]]
    # Of what a filter lets through, only rows of two vendors, without amounts.
    assert people.read(_ANALYST, "*", f"{_CONFORMED}.trips") == [["1", "2"]]
    with pytest.raises(RefusedError, match=_DENIED):
        people.read("dashboards", "vendor_id", f"{_CONFORMED}.trips")
    # What was everybody's is so no more; what was granted by hand stays until the file says that it goes.
    with pytest.raises(RefusedError, match=_DENIED):
        people.read(_VISITOR, "vendor_id", f"{_BUILT}.old")
    assert people.read(_VISITOR, *_PLACES) == [["74"], ["75"]]


def test_who_can_and_what_can_tell_what_is_granted(lake: Lake, governing: Governing, people: People) -> None:
    """Given somebody who may look at everything, then all is told; to others, what they see, and that it is not all."""
    looks = ["lakeformation:Get*", "lakeformation:List*", "lakeformation:Search*", "glue:Get*"]
    people.role("auditor", besides=[{"Action": looks, "Resource": "*"}])
    client = lake.client("lakeformation")
    settings = client.get_data_lake_settings()["DataLakeSettings"]
    settings["ReadOnlyAdmins"].append({"DataLakePrincipalIdentifier": _role("auditor")})
    client.put_data_lake_settings(DataLakeSettings=settings)
    keys, column = people.keys("auditor"), f"{_BUILT}.trips_by_zone.pickup_location_id"
    readers = governing.granary("who-can", column, keys=keys)
    assert _role(_ENGINEER) in readers
    assert _role(_VISITOR) in readers
    assert _role(_ANALYST) not in readers
    rights = governing.granary("what-can", f"role/{_ANALYST}", keys=keys)
    assert f"{_BUILT}.trips_by_zone: all columns but pickup_location_id" in rights
    assert f"{_CONFORMED}.trips: [DESCRIBE]; trips where vendor_id IN (1, 2); vendor_id where" in rights
    said = governing.granary("who-can", column, account=WORKLOAD, wanted=6)
    assert "is no administrator of the data lake" in " ".join(said.split())
    assert "lost-property" in governing.granary("records")


def test_a_table_that_was_made_anew_is_granted_again_by_an_event(
    lake: Lake, governing: Governing, people: People, faults: Any
) -> None:
    """Given Lake Formation at its limits, and a run that died, then the run that an event starts does all the same."""
    fares = "vendor_id", f"{_BUILT}.fares"
    assert people.read(_ANALYST, *fares) == [["1"], ["6"]]
    make_anew(lake, Zone.PURPOSE_BUILT, "fares", _PLAIN)
    with pytest.raises(RefusedError, match=_DENIED):
        people.read(_ANALYST, *fares)
    once = {"error": "ConcurrentModificationException", "count": 1}
    faults.set(
        {"lakeformation:AddLFTagsToResource": once, "glue:GetTables": {"error": "ThrottlingException", "count": 1}}
    )
    died = {":run": {"S": "dead"}, ":then": {"S": clock.stamp(clock.now() - timedelta(minutes=1))}}
    lake.granary.client("dynamodb").update_item(
        TableName=GOVERNANCE.governance,
        Key={"id": {"S": f"governance/{WORKLOAD}/{HOME}"}},
        UpdateExpression="SET #holder = :run, #until = :then",
        ExpressionAttributeNames={"#holder": "holder", "#until": "until"},
        ExpressionAttributeValues=died,
    )
    assert governing.changed() == "Applied"
    assert people.read(_ANALYST, *fares) == [["1"], ["6"]]


def test_a_record_is_added_and_a_persona_removed(lake: Lake, governing: Governing) -> None:
    """Given a commit that says so, then the plan shows who gains and who loses, and a plan of before is refused.

    One of the persona's principals is gone by then, and has lost nothing by that.
    """
    lake.client("iam").delete_user(UserName="legacy-reports")
    before, file = governing.digest(), permissions()
    (analyst,) = (one for one in file["personas"] if one["name"] == "analyst")
    analyst["rules"][0]["record"] = _RECORD["name"]
    analyst["principals"][WORKLOAD].append(f"role/{_NEWCOMER}")
    file |= {
        "records": [*file["records"], _RECORD],
        "personas": [one for one in file["personas"] if one["name"] != "technical_user"],
        "remove_foreign": True,
    }
    lake.granary.workspace.configure(PERMISSIONS, file)
    lake.granary.workspace.commit("Analysts may read places; dashboards are gone")
    released(lake, lake.granary.push("a record"))
    assert governing.planned() == "Waits for approval"
    page = governing.last(wanted=1)
    assert f"{_role(_ANALYST)} (analyst) gains personal data of class location" in page
    assert "| zone-reports | location | Plan where vehicles wait | legitimate_interests |" in page
    assert f"| {_role('dashboards')} | - | {_BUILT}: " in page
    assert f"revoke {_role(_VISITOR)}: SELECT on {_BUILT}.trips_by_zone (it was made by hand)" in page
    governing.granary("apply", before, wanted=5)


def test_a_plan_of_another_state_is_refused(lake: Lake, governing: Governing) -> None:
    """Given a table that came after the plan, then that plan is not applied, and people are told to look again."""
    make_table(lake, Zone.PURPOSE_BUILT, "late")
    assert governing.applied() == "Not as it should be"
    governing.hears("FAILED", "is of another state", "Make a new plan")


def test_a_principal_that_is_not_there_is_told(governing: Governing, people: People) -> None:
    """Given a plan for somebody who is not there, then the rest is done, and what is missing once they are."""
    assert governing.planned() == "Waits for approval"
    assert governing.applied() == "Not as it should be"
    governing.hears("FAILED", "Invalid principal", _role(_NEWCOMER))
    people.role(_NEWCOMER)
    assert governing.planned() == "Waits for approval"


def test_two_runs_at_once_apply_a_plan_one_after_the_other(lake: Lake, governing: Governing, people: People) -> None:
    found = governing.digest()
    governing.granary("apply", found)
    governing.granary("apply", found)
    assert lake.governed() == "Applied"
    # Either of the two may go first, so the newest has not always ended last.
    assert {lake.ended(one["executionArn"]) for one in lake.runs_of_governance()[:2]} == {"SUCCEEDED"}
    assert governing.planned() == "As it should be"
    for name in (_ANALYST, _NEWCOMER):
        assert people.read(name, *_PLACES) == [["74"], ["75"]]


def test_what_is_revoked_cannot_be_read(governing: Governing, people: People) -> None:
    for name, table in ((_VISITOR, "trips_by_zone"), ("dashboards", "fares")):
        with pytest.raises(RefusedError, match=_DENIED):
            people.read(name, "vendor_id", f"{_BUILT}.{table}")
    keys = people.keys("auditor")
    assert "rights in 0 places" in governing.granary("what-can", "user/legacy-reports", keys=keys)


def test_who_cannot_see_everything_revokes_nothing(lake: Lake, governing: Governing, people: People) -> None:
    """Given a grant made by hand, and a look that is partial, then it stays until everything can be seen."""
    grant(lake, _role(_VISITOR), Zone.PURPOSE_BUILT, "fares", "SELECT")
    with without(lake.granary, "granary-lake-catalog-read", "glue:GetTables", account=WORKLOAD):
        governing.planned()
        page = governing.last(wanted=1)
    assert "Not everything could be looked at, so nothing is revoked" in page
    assert "revoke" not in page.partition("## Steps")[2].partition("## Since")[0]
    governing.hears("not everything could be looked at, so nothing is revoked", "AccessDenied")
    assert people.read(_VISITOR, "vendor_id", f"{_BUILT}.fares") == [["1"], ["6"]]
    assert governing.planned() == "Waits for approval"
    assert governing.applied() == "Applied"
    with pytest.raises(RefusedError, match=_DENIED):
        people.read(_VISITOR, "vendor_id", f"{_BUILT}.fares")
