"""Splitting a policy: nothing is lost, nothing gained, and each part has room."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from stacks.common.policy_parts import LIMIT, ROLE_LIMIT, parts, size_of
from stacks.saas.policy_grants import Grant, grants_of, statements_of, uncovered

_ACTIONS = [f"{service}:Act{number}" for service in ("ecs", "iam", "kms") for number in range(9)]
_RESOURCES = [f"arn:*:{service}:*:*:thing/{kind}-*" for service in ("ecs", "iam") for kind in ("pool", "silo")] + ["*"]
_CONDITIONS: list[tuple[tuple[str, str, str], ...]] = [
    (),
    (("Null", "aws:ResourceTag/granary:deployment", "false"),),
    *(((("StringEquals", "iam:PassedToService", service),)) for service in ("ecs", "lambda")),
    (("ArnLike", "iam:PolicyARN", "a"), ("StringLike", "iam:PermissionsBoundary", "b")),
]
GRANTS = st.sets(
    st.builds(
        Grant,
        action=st.sampled_from(_ACTIONS),
        resource=st.sampled_from(_RESOURCES),
        condition=st.sampled_from(_CONDITIONS),
    ),
    max_size=60,
)


@given(GRANTS)
def test_grants_become_statements_and_come_back(grants: set[Grant]) -> None:
    made = statements_of(grants)
    assert grants_of(made) == grants
    assert made == statements_of(sorted(grants, reverse=True))
    sids = [one["Sid"] for one in made]
    assert len(set(sids)) == len(sids)
    assert all(len({action.partition(":")[0] for action in one["Action"]}) == 1 for one in made)


@given(GRANTS, st.integers(400, 2_000))
def test_parts_allow_what_the_whole_does_and_each_has_room(grants: set[Grant], limit: int) -> None:
    statements = statements_of(grants)
    assume(sum(map(size_of, statements)) < ROLE_LIMIT * limit / 3)
    found = parts(statements, limit=limit)
    assert all(size_of(one) <= limit for one in found)
    assert grants_of(one for document in found for one in document["Statement"]) == grants
    sids = [one["Sid"] for document in found for one in document["Statement"]]
    assert len(set(sids)) == len(sids)


@given(GRANTS)
def test_what_has_room_in_one_stays_as_it_is(grants: set[Grant]) -> None:
    statements = statements_of(grants)
    document = {"Version": "2012-10-17", "Statement": statements}
    assume(size_of(document) <= LIMIT)
    assert parts(statements) == [document]


def test_what_cannot_be_split_and_what_a_role_has_no_room_for_is_refused() -> None:
    one: dict[str, Any] = {"Effect": "Allow", "Action": "ecs:A", "Resource": "x" * LIMIT}
    with pytest.raises(GranaryError, match="too long"):
        parts([one])
    with pytest.raises(GranaryError, match="a role has at most 10"):
        parts([{**one, "Resource": "x" * (LIMIT - 200)} for _ in range(ROLE_LIMIT + 1)])


@given(GRANTS, GRANTS)
def test_uncovered_is_what_the_others_lack(wanted: set[Grant], given_: set[Grant]) -> None:
    lacking = uncovered(wanted, given_)
    assert not set(lacking) & given_
    assert uncovered(wanted, given_ | set(lacking)) == []


def test_a_condition_more_is_less_and_a_wider_pattern_is_more() -> None:
    bare, tagged = (
        Grant(action="a:B", resource="x/silo-*"),
        Grant(action="a:B", resource="x/silo-*", condition=_CONDITIONS[1]),
    )
    assert bare.covers(tagged)
    assert not tagged.covers(bare)
    assert Grant(action="a:B", resource="*").covers(bare)
    assert not bare.covers(Grant(action="a:B", resource="*"))
