"""The contract of the port to the status table that the lifecycle machine has, against the fake and DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lambdas.common.clock import stamp
from lambdas.common.dynamo import write_value
from lambdas.saas.lifecycle.statuses import LEASE, LifecycleStatuses, LifecycleStatusTable
from lambdas.saas.model.status import Phase, Status
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, FakeLifecycleStatuses, active, ref

ME = "lifecycle/acme-1"
LATER = START + timedelta(seconds=30)
Setup = Callable[[Status], LifecycleStatuses]


def table_with(status: Status) -> LifecycleStatuses:
    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.create_table(
        TableName="statuses",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    known = {name: _plain(value) for name, value in asdict(status).items() if value not in ("", (), None)}
    client.put_item(TableName="statuses", Item={name: write_value(value) for name, value in known.items()})
    return LifecycleStatusTable(client=client, name="statuses")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Phase) else value


@pytest.fixture(params=["fake", pytest.param("dynamodb", marks=pytest.mark.slow)])
def setup(request: pytest.FixtureRequest, aws: None) -> Setup:
    if request.param == "dynamodb":
        return table_with
    return lambda status: FakeLifecycleStatuses(items={status.id: status})


def known(statuses: LifecycleStatuses) -> Status:
    status = statuses.get("acme")
    assert status is not None
    return status


def mine(setup: Setup, **attributes: Any) -> LifecycleStatuses:
    statuses = setup(active(**attributes))
    assert statuses.claim("acme", holder=ME, now=START)
    return statuses


def test_a_claim_has_a_lease_and_can_be_kept(setup: Setup) -> None:
    statuses = mine(setup)
    assert known(statuses).claim_expires_at == stamp(START + LEASE)
    assert statuses.claim("acme", holder=ME, now=LATER)
    assert known(statuses).claim_expires_at == stamp(LATER + LEASE)
    assert [status.id for status in statuses.all()] == ["acme"]


def test_another_claim_is_respected_until_it_expires(setup: Setup) -> None:
    until = stamp(START + timedelta(minutes=75))
    statuses = setup(active(claimed_by="granary-provisioning:b1", claim_expires_at=until))
    assert not statuses.claim("acme", holder=ME, now=START)
    assert statuses.claim("acme", holder=ME, now=START + timedelta(minutes=76))


def test_an_unknown_deployment_is_not_claimed(setup: Setup) -> None:
    statuses = setup(active())
    assert not statuses.claim("nobody", holder=ME, now=START)
    assert statuses.get("nobody") is None


def test_a_claim_is_given_back(setup: Setup) -> None:
    statuses = mine(setup)
    assert statuses.give_back("acme", holder=ME, now=LATER)
    assert (known(statuses).claimed_by, known(statuses).claim_expires_at) == ("", "")


def test_nothing_is_written_under_anothers_claim(setup: Setup) -> None:
    statuses = mine(setup)
    other: dict[str, Any] = {"holder": "lifecycle/acme-2", "now": LATER}
    assert not statuses.give_back("acme", **other)
    assert not statuses.retiring("acme", retire_after=LATER, reason="", attempts=1, **other)
    assert not statuses.suspended("acme", reason="", **other)
    assert not statuses.brought_back("acme", phase=Phase.ACTIVE, reason="", revision="", **other)
    assert not statuses.failed("acme", reason="", retry=True, **other)
    assert not statuses.retired("acme", seen=active(), reason="", warned=False, expires_at=LATER, **other)
    assert known(statuses).phase is Phase.ACTIVE


def test_retiring_keeps_the_claim(setup: Setup) -> None:
    statuses = mine(setup, row_removed=True)
    assert statuses.retiring("acme", holder=ME, retire_after=LATER, reason="soon", attempts=1, now=START)
    status = known(statuses)
    assert (status.phase, status.reason, status.retire_after) == (Phase.RETIRING, "soon", stamp(LATER))
    assert (status.claimed_by, status.row_removed, status.attempts) == (ME, False, 1)


def test_suspended_keeps_the_claim_and_ends_a_retirement(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.RETIRING, retire_after=stamp(LATER))
    assert statuses.suspended("acme", holder=ME, reason="row", now=LATER)
    status = known(statuses)
    assert (status.phase, status.retire_after, status.claimed_by) == (Phase.SUSPENDED, "", ME)


def test_brought_back_gives_the_claim_back(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.RETIRING, retire_after=stamp(LATER))
    assert statuses.brought_back("acme", holder=ME, phase=Phase.UPDATING, reason="", revision="def456", now=LATER)
    status = known(statuses)
    assert (status.phase, status.revision_wanted, status.claimed_by) == (Phase.UPDATING, "def456", "")
    assert status.retire_after == ""


def test_brought_back_without_a_release_leaves_what_is_wanted(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.SUSPENDED, revision_wanted="abc123")
    assert statuses.brought_back("acme", holder=ME, phase=Phase.ACTIVE, reason="", revision="", now=LATER)
    assert known(statuses).revision_wanted == "abc123"


@pytest.mark.parametrize(("pin", "since"), [("def456", stamp(LATER)), ("", "")])
def test_brought_back_tells_what_was_placed_by_a_pin(setup: Setup, pin: str, since: str) -> None:
    statuses = mine(setup, pinned="abc123", pinned_at=stamp(START))
    given: dict[str, Any] = {"reason": "", "revision": pin, "now": LATER}
    assert statuses.brought_back("acme", holder=ME, phase=Phase.UPDATING, pinned=pin, pinned_at=since, **given)
    assert (known(statuses).pinned, known(statuses).pinned_at) == (pin, since)


def test_unprovisioned_is_taken_up_by_a_build(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.RETIRING)
    assert statuses.unprovisioned("acme", holder=ME, reason="no pipeline", now=LATER)
    status = known(statuses)
    assert (status.phase, status.retry, status.applied_digest, status.pipeline_stack) == (Phase.FAILED, True, "", None)


_ENDS_OF_A_WAIT: dict[str, Callable[[LifecycleStatuses], bool]] = {
    "retiring": lambda to: to.retiring("acme", holder=ME, retire_after=LATER, reason="", attempts=1, now=LATER),
    "suspended": lambda to: to.suspended("acme", holder=ME, reason="", now=LATER),
    "brought_back": lambda to: to.brought_back(
        "acme", holder=ME, phase=Phase.FAILED, reason="", revision="", now=LATER
    ),
    "unprovisioned": lambda to: to.unprovisioned("acme", holder=ME, reason="", now=LATER),
}


@pytest.mark.parametrize("end", _ENDS_OF_A_WAIT.values(), ids=list(_ENDS_OF_A_WAIT))
def test_a_deployment_that_is_pending_no_more_does_not_wait(setup: Setup, end: Callable[..., bool]) -> None:
    """Given one that waited for a build, what the machine makes of it leaves no moment that it waits since."""
    statuses = mine(setup, phase=Phase.PENDING, pending_since=stamp(START))
    assert known(statuses).pending_since == stamp(START)
    assert end(statuses)
    assert known(statuses).pending_since == ""


def test_archives_and_warnings_are_kept(setup: Setup) -> None:
    statuses = mine(setup)
    assert statuses.archived("acme", holder=ME, archives=("a", "b"), now=LATER)
    assert statuses.warned("acme", holder=ME, warnings=("w",), now=LATER)
    assert (known(statuses).archives, known(statuses).warnings) == (("a", "b"), ("w",))


def test_moved_forgets_the_former_place(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.MOVING, former_stacks=(COMPONENT,), adopted=(COMPONENT,))
    assert statuses.moved("acme", holder=ME, now=LATER)
    status = known(statuses)
    assert (status.phase, status.former_stacks, status.claimed_by) == (Phase.ACTIVE, (), "")
    assert status.adopted == ()
    assert status.component_stacks == (COMPONENT,)


def test_moved_keeps_what_stands_where_the_component_does(setup: Setup) -> None:
    both = (COMPONENT, ref("component", "old"))
    statuses = mine(setup, phase=Phase.MOVING, former_stacks=both, adopted=both)
    assert statuses.moved("acme", holder=ME, now=LATER, former=(COMPONENT,), adopted=(COMPONENT,))
    status = known(statuses)
    assert (status.phase, status.former_stacks, status.adopted) == (Phase.ACTIVE, (COMPONENT,), (COMPONENT,))


def test_what_is_left_behind_is_told_and_kept(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.MOVING, former_stacks=(COMPONENT,), attempts=2)
    assert statuses.left_behind("acme", holder=ME, reason="no", now=LATER)
    status = known(statuses)
    assert (status.phase, status.reason, status.former_stacks) == (Phase.ACTIVE, "no", (COMPONENT,))
    assert (status.attempts, status.claimed_by) == (3, "")


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.UPDATING])
def test_what_a_look_has_found_meanwhile_is_not_said_to_be_moved(setup: Setup, phase: Phase) -> None:
    statuses = mine(setup, phase=phase, former_stacks=(COMPONENT,))
    before = known(statuses)
    assert not statuses.moved("acme", holder=ME, now=LATER)
    assert not statuses.left_behind("acme", holder=ME, reason="no", now=LATER)
    assert known(statuses) == before


@pytest.mark.parametrize("end", _ENDS_OF_A_WAIT.values(), ids=list(_ENDS_OF_A_WAIT))
def test_a_row_that_is_acted_on_is_no_longer_told_to_be_wrong(setup: Setup, end: Callable[..., bool]) -> None:
    statuses = mine(setup, phase=Phase.SUSPENDED, row_problem="region is missing")
    assert known(statuses).row_problem
    assert end(statuses)
    assert known(statuses).row_problem == ""


def test_a_suspended_deployment_has_a_row(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.SUSPENDED, row_removed=True)
    assert statuses.suspended("acme", holder=ME, reason="row", now=LATER)
    assert not known(statuses).row_removed


def test_a_tombstone_has_what_is_told_and_nothing_else(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.RETIRING, archives=("a",), warnings=("w",), retire_after=stamp(START))
    expires = START + timedelta(days=90)
    written = statuses.retired(
        "acme", holder=ME, seen=known(statuses), reason="left", warned=True, expires_at=expires, now=LATER
    )
    assert written
    assert known(statuses) == Status(
        id="acme",
        phase=Phase.RETIRED_WITH_WARNINGS,
        reason="left",
        type="silo",
        account="222222222222",
        region="eu-west-1",
        archives=("a",),
        warnings=("w",),
        expires_at=int(expires.timestamp()),
        updated_at=stamp(LATER),
    )


@pytest.mark.parametrize(
    "before",
    [
        {"component_stacks": ()},
        {"component_stacks": (COMPONENT, ref("component", "silo-acme-more"))},
        {"further_stacks": (ref("component", "silo-acme-more"),)},
    ],
)
def test_there_is_no_tombstone_while_a_stack_was_not_seen(setup: Setup, before: dict[str, Any]) -> None:
    statuses = mine(setup, phase=Phase.RETIRING)
    seen = replace(known(statuses), **before)
    assert not statuses.retired("acme", holder=ME, seen=seen, reason="", warned=False, expires_at=LATER, now=LATER)
    assert known(statuses).phase is Phase.RETIRING


def test_a_deployment_that_never_had_stacks_gets_a_tombstone(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.RETIRING, component_stacks=())
    assert statuses.retired(
        "acme", holder=ME, seen=known(statuses), reason="", warned=False, expires_at=LATER, now=LATER
    )


def test_a_failure_is_told_and_gives_the_claim_back(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.RETIRING, retire_after=stamp(START))
    assert statuses.failed("acme", holder=ME, reason="why", retry=True, now=LATER)
    status = known(statuses)
    assert (status.phase, status.reason, status.retry, status.claimed_by) == (Phase.FAILED, "why", True, "")
    assert status.retire_after == stamp(START)


def test_the_table_of_transitions_is_kept(setup: Setup) -> None:
    statuses = mine(setup, phase=Phase.MOVING)
    assert not statuses.suspended("acme", holder=ME, reason="", now=LATER)
    assert known(statuses) == replace(known(statuses), phase=Phase.MOVING)
