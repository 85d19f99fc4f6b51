"""No new access, in three answers: what is proven is so, and what is shown is new."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lambdas.gates.model.iam.access import Answer, Request, Verdict, allows, new_access
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.documents import read
from tests.unit.lambdas.gates.model.iam.slow import allowed

_ACTIONS = ["s3:get", "s3:getx", "s3:put", "t:get", "t:a"]
_RESOURCES = [f"arn:p:s:r:{account}:{name}" for account in ("1", "12", "x") for name in ("a", "ab", "b/c", "a:b", "x")]
_CONTEXTS: list[dict[str, str]] = [{}, {"k:a": "1"}, {"k:a": "x"}, {"k:a": "2", "k:b": "1"}, {"k:b": "x"}]

_action = st.sampled_from(["*", "s3:*", "s3:get", "s3:get*", "s3:ge?", "s3:put", "t:*", "*:get", "t:a"])
_NAMES = ("*", "a", "a*", "?", "b/*", "*b", "b")
_resource = st.sampled_from(["*", *(f"arn:p:s:r:{one}:{name}" for one in ("*", "1", "1?") for name in _NAMES)])
_OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "Null", "NumericLessThan"]
_values = st.lists(st.sampled_from(["1", "2", "x"]), min_size=1, max_size=2)
_tests = st.dictionaries(st.sampled_from(["k:a", "k:b"]), _values)
_conditions = st.dictionaries(st.sampled_from(_OPERATORS), _tests, max_size=1)
_mostly = ["Action", "Action", "NotAction"], ["Resource", "Resource", "NotResource"]


@st.composite
def _statements(draw: st.DrawFn) -> dict[str, Any]:
    conditions = draw(_conditions)
    for test in (conditions.get("Null") or {}).copy():
        conditions["Null"][test] = [draw(st.sampled_from(["true", "false"]))]
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(_mostly[0])): draw(st.lists(_action, min_size=1, max_size=2)),
        draw(st.sampled_from(_mostly[1])): draw(st.lists(_resource, min_size=1, max_size=2)),
        "Condition": {key: test for key, test in conditions.items() if test},
    }


_policies = st.fixed_dictionaries({"Statement": st.lists(_statements(), min_size=1, max_size=3)})


def _compare(new: dict[str, Any], old: dict[str, Any]) -> Verdict:
    return new_access(read(new), read(old), _ACTIONS)


@given(new=_policies, old=_policies)
@settings(max_examples=150, deadline=None)
def test_an_answer_is_true_of_every_request(new: dict[str, Any], old: dict[str, Any]) -> None:
    """By both readings of a wildcard in an ARN; numbers are compared as texts by the slow evaluator, as by nobody."""
    verdict = _compare(new, old)
    event(verdict.answer.value)
    requests = list(product(_ACTIONS, _RESOURCES, _CONTEXTS))
    if verdict.request:
        requests = [(verdict.request.action, verdict.request.resource, dict(verdict.request.context))]
    if verdict.answer is not Answer.UNDECIDED:
        for parts in (True, False):
            fresh = [one for one in requests if allowed(new, *one, parts=parts) and not allowed(old, *one, parts=parts)]
            assert bool(fresh) == (verdict.answer is Answer.WITNESS), fresh[:1]


@given(policy=_policies)
@settings(max_examples=50, deadline=None)
def test_a_policy_is_never_new_to_itself(policy: dict[str, Any]) -> None:
    assert _compare(policy, policy).answer is not Answer.WITNESS


def _policy(**told: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": "s3:get*", "Resource": "arn:aws:s3:::b/*"} | told]}


@pytest.mark.parametrize(
    ("new", "answer"),
    [
        (_policy(), Answer.PROVEN),
        (_policy(Action="S3:GetX"), Answer.PROVEN),
        (_policy(Resource="arn:aws:s3:::b/${aws:username}"), Answer.PROVEN),
        (_policy(Resource="arn:aws:s3:::${@t#Bucket}/x"), Answer.UNDECIDED),
        (_policy(Action="t:a", Resource="arn:aws:s3:::${@t#Bucket}/x"), Answer.WITNESS),
        (_policy(Action="s3:put"), Answer.WITNESS),
        (_policy(Action="s3:AddedByAWSLater"), Answer.UNDECIDED),
        (_policy(Resource="arn:aws:s3:::b*"), Answer.WITNESS),
        (_policy(Resource="*", Condition={"StringEquals": {"aws:userid": "${aws:username}"}}), Answer.UNDECIDED),
        (_policy(Resource="*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}), Answer.UNDECIDED),
        (_policy(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), Answer.PROVEN),
        (_policy(Principal="*"), Answer.UNDECIDED),
        (_policy(Resource={"Ref": "Nobody"}), Answer.UNDECIDED),
    ],
)
def test_the_answer(new: dict[str, Any], answer: Answer) -> None:
    assert _compare(new, _policy()).answer is answer


def _but(actions: str = "", resources: str = "") -> dict[str, Any]:
    left_out = {"NotAction": actions} if actions else {"NotResource": resources}
    told = {"Action": "*", "Resource": "*"}
    del told[next(iter(left_out)).removeprefix("Not")]
    return {"Statement": [{"Effect": "Allow"} | told | left_out]}


@pytest.mark.parametrize(
    ("new", "old", "answer"),
    [
        (_but("s3:*"), _but("s3:get*"), Answer.PROVEN),
        (_but("s3:get*"), _but("s3:*"), Answer.WITNESS),
        (_but("s3:put"), _policy(Resource="*"), Answer.WITNESS),
        (_but("s3:put"), _policy(Action="*", Resource="*"), Answer.PROVEN),
        (_policy(Action="s3:put"), _but("s3:get*"), Answer.PROVEN),
        (_policy(), _but("s3:get*"), Answer.WITNESS),
        (_but(resources="arn:aws:s3:::b*"), _but(resources="arn:aws:s3:::b/*"), Answer.PROVEN),
        (_but(resources="arn:aws:s3:::b/*"), _but(resources="arn:aws:s3:::b*"), Answer.WITNESS),
        (_policy(), _but(resources="arn:aws:s3:::c*"), Answer.PROVEN),
        (_policy(), _but(resources="arn:aws:s3:::b*"), Answer.WITNESS),
        (_but(resources="arn:aws:s3:::b/*"), _policy(Action="*"), Answer.WITNESS),
    ],
)
def test_what_is_left_out_is_compared(new: dict[str, Any], old: dict[str, Any], answer: Answer) -> None:
    assert _compare(new, old).answer is answer


def _tested(operator: str, *values: str) -> dict[str, Any]:
    return _policy(Condition={operator: {"k:a": list(values)}})


@pytest.mark.parametrize(
    ("new", "old", "answer"),
    [
        (_tested("StringEquals", "1"), _tested("StringEquals", "1", "2"), Answer.PROVEN),
        (_tested("StringEquals", "2", "1"), _tested("StringEquals", "1"), Answer.WITNESS),
        (_tested("StringEquals", "1", "2"), _tested("StringEquals", "1"), Answer.UNDECIDED),
        (_tested("StringNotEquals", "1", "2"), _tested("StringNotEquals", "1"), Answer.PROVEN),
        (_tested("StringLike", "a1*"), _tested("StringLike", "a*"), Answer.PROVEN),
        (_tested("StringLike", "a*"), _tested("StringLike", "a1*"), Answer.WITNESS),
        (_tested("StringEquals", "1"), _policy(), Answer.PROVEN),
        (_policy(), _tested("StringEquals", "1"), Answer.WITNESS),
        (_policy(), _tested("StringNotEquals", "1"), Answer.UNDECIDED),
        (_policy(), _tested("StringEqualsIfExists", "1"), Answer.UNDECIDED),
        (_tested("StringEquals", "1"), _tested("StringLike", "1"), Answer.UNDECIDED),
        (_tested("NumericLessThan", "1"), _tested("NumericLessThan", "1"), Answer.PROVEN),
        (_tested("NumericLessThan", "1"), _tested("NumericLessThan", "2"), Answer.UNDECIDED),
    ],
)
def test_conditions_are_compared(new: dict[str, Any], old: dict[str, Any], answer: Answer) -> None:
    assert _compare(new, old).answer is answer


def test_a_denial_that_may_apply_makes_no_witness() -> None:
    """And one of the reference that may not apply proves nothing of what was denied."""
    maybe = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringLike": {"k:a": "x"}}}
    denied = {"Statement": [*_policy(Action="s3:put")["Statement"], maybe]}
    assert _compare(denied, _policy()).answer is Answer.UNDECIDED
    assert _compare(_policy(), {"Statement": [*_policy()["Statement"], maybe]}).answer is Answer.UNDECIDED


def test_what_a_wildcard_leaves_open_is_no_witness() -> None:
    """`*` may stand for `1:a` or not: then nobody can say whether the new policy leaves it out."""
    new = {"Statement": [{"Effect": "Allow", "Action": "s3:get", "NotResource": "arn:p:s:r:*:b"}]}
    old = {"Statement": [{"Effect": "Allow", "Action": "s3:get", "NotResource": "arn:p:s:r:1:a:b"}]}
    request = Request(action="s3:get", resource="arn:p:s:r:1:a:b")
    assert not allows(read(new), request, surely=True)
    assert allows(read(new), request, surely=False)
    assert _compare(new, old).answer is not Answer.PROVEN
    within = _policy(Resource="arn:p:s:r:1:a:b"), _policy(Resource="arn:p:s:r:*:b")
    assert _compare(*within).answer is Answer.UNDECIDED


def test_a_denial_that_is_taken_away_is_new_access() -> None:
    deny = {"Effect": "Deny", "Action": "s3:getx", "Resource": "*"}
    old = {"Statement": [*_policy()["Statement"], deny]}
    verdict = _compare(_policy(), old)
    assert verdict.request
    assert (verdict.answer, verdict.request.action) == (Answer.WITNESS, "s3:getx")
    assert _compare(old, old).answer is Answer.PROVEN


def test_many_actions_are_compared_one_by_one() -> None:
    """More than the 100 that a call of Access Analyzer takes."""
    catalogue = Catalogue()
    actions = catalogue.actions_of("ec2")[:150]
    old = read(_policy(Action=actions[:149]))
    verdict = new_access(read(_policy(Action=actions)), old, catalogue.actions)
    assert verdict.request
    assert verdict.request.action == actions[149]
