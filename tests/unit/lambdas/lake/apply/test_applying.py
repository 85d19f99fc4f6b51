"""Applying a plan: in order, in batches, with what fails told, and finished by the next run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.lake.apply import handler as apply_handler
from lambdas.lake.discover import handler as discover_handler
from lambdas.lake.discover.handler import discover
from lambdas.lake.model.governance.plan import StaleError
from lambdas.lake.model.governance.policy import Rule
from lambdas.lake.store.governance import Governance
from tests.unit.lambdas.lake.fakes import ACCOUNT, FakeLake
from tests.unit.lambdas.lake.model.governance.cases import READ, policy
from tests.unit.lambdas.lake.worlds import FakePlans, applying, arn, governance

_NAMED = policy(READ, use_tags=False)


def _lake(tables: int) -> FakeLake:
    lake = FakeLake()
    for number in range(tables):
        lake.crawl("d1", f"t{number:02}", "id", "amount")
    return lake


def _planned(file: Any, lake: FakeLake, plans: FakePlans) -> str:
    digest: str = discover(governance(file, lake, plans))["plan"]
    lake.calls.clear()
    return digest


def test_grants_are_made_twenty_at_a_time_and_nothing_twice() -> None:
    lake, plans = _lake(45), FakePlans()
    digest = _planned(_NAMED, lake, plans)
    applying(_NAMED, lake, plans).apply(digest)
    assert lake.calls.count("BatchGrantPermissions") == 3
    applying(_NAMED, lake, plans).apply(digest)
    assert lake.calls.count("BatchGrantPermissions") == 3


def test_steps_are_done_in_an_order_in_which_nobody_loses_what_stays() -> None:
    lake, plans = _lake(3), FakePlans()
    applying(_NAMED, lake, plans).apply(_planned(_NAMED, lake, plans))
    file = policy(
        replace(READ, rows="id IN (1)"), replace(READ, tables=("t0*",)), Rule(databases=("d1",), permissions=("DROP",))
    )
    applying(file, lake, plans).apply(_planned(file, lake, plans), approved_by="ada")
    writes = [it for it in lake.calls if not it.startswith(("Get", "List", "Search"))]
    order = dict.fromkeys(writes)
    assert list(order) == [
        "CreateLFTag",
        "CreateDataCellsFilter",
        "AddLFTagsToResource",
        "BatchGrantPermissions",
        "BatchRevokePermissions",
    ]
    applying(_NAMED, lake, plans).apply(_planned(_NAMED, lake, plans), approved_by="ada")
    writes = [it for it in lake.calls if not it.startswith(("Get", "List", "Search"))]
    assert list(dict.fromkeys(writes)) == [
        "BatchGrantPermissions",
        "BatchRevokePermissions",
        "RemoveLFTagsFromResource",
        "DeleteDataCellsFilter",
    ]


def test_a_rule_of_other_tables_is_granted_before_it_is_taken_from_those_of_before() -> None:
    lake, plans = _lake(3), FakePlans()
    file, narrower = policy(READ), policy(replace(READ, tables=("t*",)))
    applying(file, lake, plans).apply(_planned(file, lake, plans))
    digest, seen = _planned(narrower, lake, plans), list[set[str]]()

    def watch(_name: str) -> str:
        seen.append(lake.rights(arn("role/analyst"), "d1", "t01"))
        return ""

    lake.fault = watch
    applying(narrower, lake, plans).apply(digest, approved_by="ada")
    assert all(it == {"id", "amount"} for it in seen)
    assert "BatchRevokePermissions" in lake.calls


def test_of_a_batch_only_what_may_pass_is_asked_again() -> None:
    lake, plans = _lake(3), FakePlans()
    digest = _planned(_NAMED, lake, plans)
    codes = iter(["ConcurrentModificationException", "AccessDeniedException", "", "", "InternalFailure"])
    lake.fault = lambda name: next(codes, "") if name == "Entry" else ""
    applied = applying(_NAMED, lake, plans).apply(digest)
    assert lake.calls.count("BatchGrantPermissions") == 2
    (told,) = applied.failed
    assert told == f"{arn('role/analyst')}: SELECT on d1.t01 (amount, id): AccessDeniedException: no"
    assert applied.left == 1
    assert plans.applied == [applied]


def test_a_plan_that_is_to_be_approved_waits_for_a_name() -> None:
    lake, plans = FakeLake(), FakePlans()
    lake.crawl("d1", "t", "email")
    file = policy(replace(READ, record="contact"))
    digest = _planned(file, lake, plans)
    with pytest.raises(GranaryError, match=r"to be approved: .* gains personal data of class contact: d1\.t\.email"):
        applying(file, lake, plans).apply(digest)
    assert not lake.calls
    assert applying(file, lake, plans).apply(digest, approved_by="ada").approved_by == "ada"
    assert lake.rights(arn("role/analyst"), "d1", "t") == {"email"}


def test_a_stale_plan_changes_nothing_and_says_so_in_the_record() -> None:
    lake, plans = _lake(2), FakePlans()
    digest = _planned(_NAMED, lake, plans)
    lake.crawl("d1", "more", "id")
    with pytest.raises(StaleError, match="Make a new plan"):
        applying(_NAMED, lake, plans).apply(digest)
    assert not lake.grants
    assert not plans.ours()
    assert "is of another state" in plans.applied[0].failed[0]
    assert plans.holder == ""


def test_two_runs_at_once_are_one_run() -> None:
    lake, plans = _lake(2), FakePlans()
    digest = _planned(_NAMED, lake, plans)
    plans.holder = "another"
    with pytest.raises(GranaryError, match="another run applies a plan"):
        applying(_NAMED, lake, plans).apply(digest)
    assert not lake.calls
    assert plans.holder == "another"


def test_what_there_was_no_time_for_the_next_run_does() -> None:
    lake, plans = _lake(100), FakePlans()
    digest = _planned(_NAMED, lake, plans)
    times = iter([True, True])
    first = applying(_NAMED, lake, plans, in_time=lambda: next(times, False)).apply(digest)
    assert first.left
    made = len(lake.grants)
    assert 0 < made < 200
    # They are ours although the run did not get to its end.
    assert len(plans.ours()) == 200
    then = applying(_NAMED, lake, plans).apply(digest)
    assert then.left == 0
    assert len(lake.grants) == 200


def test_a_table_that_is_dropped_meanwhile_is_told_and_the_rest_is_done() -> None:
    lake, plans = _lake(3), FakePlans()
    digest = _planned(_NAMED, lake, plans)

    def fault(name: str) -> str:
        if name == "BatchGrantPermissions":
            lake.databases["d1"].pop("t01", None)
        return ""

    lake.fault = fault
    applied = applying(_NAMED, lake, plans).apply(digest)
    assert len(applied.failed) == 1
    assert "d1.t01" in applied.failed[0]
    assert applied.left == 0


def test_nothing_is_taken_from_another_factory_in_the_same_catalog() -> None:
    lake = _lake(2)
    ours = policy(replace(READ, rows="id IN (1)"), replace(READ, tables=("t00",)))
    theirs = replace(ours, prefix="granary-eu")
    for file in (theirs, ours):
        plans = FakePlans()
        applying(file, lake, plans).apply(_planned(file, lake, plans), approved_by="ada")
    plans = FakePlans()
    empty = policy()
    applying(empty, lake, plans).apply(_planned(empty, lake, plans), approved_by="ada")
    assert {name.rpartition("-")[0] for _, _, name in lake.filters} == {"granary-eu"}
    assert {key for its in lake.tags.values() for key in its if key.startswith("granary-eu-")}
    assert not {key for its in lake.tags.values() for key in its if not key.startswith("granary-eu-")}


def test_what_failed_fits_into_a_state_of_the_machine_however_wide_tables_are() -> None:
    lake, plans, wide = FakeLake(), FakePlans(), [f"{number:04}{'c' * 200}" for number in range(1_000)]
    for table in range(30):
        lake.crawl("d1", f"t{table}", *wide)
    digest = _planned(_NAMED, lake, plans)
    lake.fault = lambda name: "AccessDeniedException" if name == "Entry" else ""
    applied = applying(_NAMED, lake, plans).apply(digest)
    assert len(applied.failed) == 20
    assert len(applied.to_json()) < 64_000
    assert all(one.endswith(": AccessDeniedException: no") for one in applied.failed)


def test_what_is_gone_when_it_is_revoked_is_done() -> None:
    lake, plans = _lake(3), FakePlans()
    applying(_NAMED, lake, plans).apply(_planned(_NAMED, lake, plans))
    none = policy(use_tags=False)
    digest = _planned(none, lake, plans)

    def fault(name: str) -> str:
        if name == "BatchRevokePermissions":
            lake.drop("d1", "t01")
        return ""

    lake.fault = fault
    applied = applying(none, lake, plans).apply(digest, approved_by="ada")
    assert (applied.failed, applied.left, plans.ours()) == ((), 0, frozenset())


class _Context:
    aws_request_id = "run-1"
    invoked_function_arn = "arn:aws:lambda:us-east-1:111111111111:function:granary-lake-apply"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


def test_the_functions_plan_and_apply(
    make_table: Callable[[str], Any], give_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On moto's S3, DynamoDB and STS; the catalog is the fake one."""
    make_table("granary-lake-governance")
    boto3.client("s3").create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.cache_clear()
    lake = _lake(3)
    defaults: Any = Governance.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "make_client", lambda *_, **__: lake)
    environment = {"GOVERNANCE_TABLE": "granary-lake-governance", "PLANS_BUCKET": "plans"}
    give_settings(environment, permissions=policy(READ).to_json())
    event = {"account": ACCOUNT, "region": "eu-west-1"}
    told = discover_handler.handler(event, None)
    assert (told["empty"], told["approvals"], told["unseen"]) == (False, [], [])
    done = apply_handler.handler({**event, "plan": told["plan"]}, _Context())
    assert done == {"plan": told["plan"], "failed": [], "left": 0}
    assert lake.rights(arn("role/analyst"), "d1", "t00") == {"id", "amount"}
    assert discover_handler.handler(event, None)["empty"]


def test_a_proof_becomes_a_name_before_anything_is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wrote a name into the input has no part in it."""
    asked: list[object] = []

    def proven(said: object, given: object, *, function: str) -> str:
        asked.extend((said, given, function))
        return "assumed-role/approver/ada"

    monkeypatch.setattr(apply_handler, "proven_name", proven)
    place = {"account": ACCOUNT, "region": "eu-west-1", "plan": "c0ffee"}
    answer = apply_handler.handler({**place, "proof": {"signed": "so"}, "approved_by": "grace"}, _Context())
    assert answer == {"plan": "c0ffee", "approved_by": "assumed-role/approver/ada"}
    assert asked == [place, {"signed": "so"}, _Context.invoked_function_arn]
