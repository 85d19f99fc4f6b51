"""The coverage ledger: whatever is done to a template, no policy of it escapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.gates.model.iam.assembly import Assembly, deployed
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.ledger import Ledger, Row, ledger_of
from lambdas.gates.model.iam.template import Where

CATALOGUE = Catalogue()
_WHERE = Where(account="111111111111", region="eu-west-1")
_NO_VALUE = {"Ref": "AWS::NoValue"}
_NEVER = {"Never": {"Fn::Equals": ["a", "b"]}, "Rarely": {"Fn::Equals": ["a", "b"]}}
_STATEMENT = {"Effect": "Allow", "Action": "planted:*", "Resource": "*"}
_POLICY = {"Version": "2012-10-17", "Statement": [_STATEMENT]}
_SOMEBODY = _POLICY | {"Statement": [_STATEMENT | {"Principal": "*"}]}


def ledger(*, child: dict[str, Any] | None = None, **body: Any) -> Ledger:
    templates = {"t": body} | ({"child": child} if child else {})
    return ledger_of(deployed(Assembly(templates=templates, where=_WHERE), CATALOGUE))


def planted(found: Ledger) -> list[Row]:
    """The rows that have the planted action, or say that they cannot tell what they have."""
    return [
        row
        for row in found.rows
        if row.why
        or any(one.actions.patterns == ("planted:*",) for document in row.documents for one in document.statements)
    ]


Change = Callable[[Any], Any]
# What may become of a policy where it stands.
_CHANGES: dict[str, Change] = {
    "as it is": lambda policy: policy,
    "then": lambda policy: {"Fn::If": ["Never", policy, _NO_VALUE]},
    "else": lambda policy: {"Fn::If": ["Rarely", {"Statement": []}, policy]},
    "unknown condition": lambda policy: {"Fn::If": ["Missing", policy, {"Statement": []}]},
    "text": lambda policy: json.dumps(policy) if _plain(policy) else policy,
    "to json": lambda policy: {"Fn::ToJsonString": policy},
    "joined": lambda policy: {"Fn::Join": ["", ["", json.dumps(policy)]]} if _plain(policy) else policy,
    "selected": lambda policy: {"Fn::Select": [1, ["x", policy]]},
    "substituted": lambda policy: {"Fn::Sub": json.dumps(policy)} if _plain(policy) else policy,
    "parameter": lambda _: {"Ref": "Document"},
    "one statement": lambda policy: _statements(policy, lambda each: each[0]),
    "statement then": lambda policy: _statements(policy, lambda each: [{"Fn::If": ["Never", each[0], _NO_VALUE]}]),
    "statements else": lambda policy: _statements(policy, lambda each: {"Fn::If": ["Rarely", [], each]}),
    "import": lambda _: {"Fn::ImportValue": "x"},
    "macro": lambda policy: {"Fn::Transform": {"Name": "m"}, **policy} if _plain(policy) else policy,
}


def _plain(policy: Any) -> bool:
    return isinstance(policy, dict) and "Statement" in policy and '"Fn::' not in json.dumps(policy)


def _statements(policy: Any, change: Change) -> Any:
    if not _plain(policy) or not isinstance(policy["Statement"], list):
        return policy
    return policy | {"Statement": change(policy["Statement"])}


# Where a policy may stand: of an identity, of a resource, and where the schema knows only a text or nothing at all.
_PLACES: list[tuple[str, Change]] = [
    ("AWS::IAM::Role", lambda policy: {"AssumeRolePolicyDocument": policy}),
    ("AWS::IAM::Role", lambda policy: {"Policies": [{"PolicyName": "a", "PolicyDocument": policy}]}),
    ("AWS::IAM::Role", lambda policy: {"Policies": {"Fn::If": ["Never", [{"PolicyDocument": policy}], _NO_VALUE]}}),
    ("AWS::IAM::Policy", lambda policy: {"PolicyDocument": policy}),
    ("AWS::IAM::ManagedPolicy", lambda policy: {"PolicyDocument": policy}),
    ("AWS::IAM::UserPolicy", lambda policy: {"PolicyDocument": policy}),
    ("AWS::SSO::PermissionSet", lambda policy: {"InlinePolicy": policy}),
    ("AWS::KMS::Key", lambda policy: {"KeyPolicy": policy}),
    ("AWS::S3::BucketPolicy", lambda policy: {"PolicyDocument": policy}),
    ("AWS::DynamoDB::GlobalTable", lambda policy: {"Replicas": [{"ResourcePolicy": {"PolicyDocument": policy}}]}),
    ("AWS::ECR::Repository", lambda policy: {"RepositoryPolicyText": policy}),
    ("AWS::Organizations::Policy", lambda policy: {"Content": policy}),
    ("AWS::XRay::ResourcePolicy", lambda policy: {"PolicyDocument": policy}),
    ("AWS::Transfer::User", lambda policy: {"Policy": policy}),
    ("AWS::RolesAnywhere::Profile", lambda policy: {"SessionPolicy": policy}),
    ("AWS::EC2::VPCEndpoint", lambda policy: {"PolicyDocument": policy}),
    ("Custom::Anything", lambda policy: {"PolicyDocument": policy}),
    ("Custom::Anything", lambda policy: {"Call": [{"parameters": {"Policy": policy}}]}),
    ("Somebody::Own::Type", lambda policy: {"Policy": policy}),
]


@given(
    place=st.sampled_from(_PLACES),
    changes=st.lists(st.sampled_from(sorted(_CHANGES)), max_size=3),
    policy=st.sampled_from([_POLICY, _SOMEBODY]),
    name=st.from_regex(r"[A-Z][A-Za-z0-9]{0,9}", fullmatch=True).filter(lambda name: name != "Document"),
    behind=st.sampled_from(["", "Never", "Missing"]),
    nested=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_no_policy_escapes(  # moved, renamed, nested, conditioned
    *, place: tuple[str, Change], changes: list[str], policy: Any, name: str, behind: str, nested: bool
) -> None:
    changed = policy
    for change in changes:
        changed = _CHANGES[change](changed)
    resource = {"Type": place[0], "Properties": place[1](changed)} | ({"Condition": behind} if behind else {})
    body: dict[str, Any] = {
        "Parameters": {"Document": {"Type": "String", "Default": json.dumps(policy)}},
        "Conditions": _NEVER,
        "Resources": {name: resource},
    }
    stack = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "child"}}
    found = ledger(child=body, Resources={"Stack": stack}) if nested else ledger(**body)
    assert not found.escaped
    places = [(row.template, row.resource, row.place) for row in found.rows]
    assert len(places) == len(set(places))
    assert [row.resource for row in planted(found)] == [name]


@given(
    kind=st.sampled_from(sorted(CATALOGUE.types)),
    path=st.lists(
        st.one_of(st.sampled_from(["Policy", "Tags", "Rules", "Config", "x"]), st.just(0)), min_size=1, max_size=4
    ),
    text=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_no_policy_escapes_where_a_schema_has_no_place_for_it(kind: str, path: list[Any], text: bool) -> None:
    value: Any = json.dumps(_POLICY) if text else _POLICY
    for key in reversed(path[1:]):
        value = [value] if key == 0 else {key: value}
    found = ledger(Resources={"A": {"Type": kind, "Properties": {str(path[0]): value}}})
    assert not found.escaped
    assert [row.resource for row in planted(found) if row.documents] == ["A"]


@pytest.mark.parametrize(("kind", "properties"), _PLACES)
@pytest.mark.parametrize("node", [{"Fn::ImportValue": "x"}, {"Fn::GetAtt": ["Nobody", "Text"]}, {"Ref": "Nobody"}])
def test_a_policy_that_is_not_here_is_undecidable(kind: str, properties: Change, node: Any) -> None:
    (row,) = planted(ledger(Resources={"A": {"Type": kind, "Properties": properties(node)}}))
    assert row.why


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::IAM::Role", {"Policies": {"Fn::ImportValue": "x"}}),
        ("AWS::IAM::Role", {"Fn::Transform": {"Name": "AWS::Include"}}),
        ("AWS::IAM::Role", {"ManagedPolicyArns": ["arn:aws:iam::111111111111:policy/elsewhere"]}),
        ("AWS::IAM::Role", {"ManagedPolicyArns": {"Ref": "Nobody"}}),
        ("AWS::Lambda::Permission", {"Principal": {"Ref": "Nobody"}, "Action": "lambda:InvokeFunction"}),
        ("AWS::CloudFormation::Stack", {"TemplateURL": "https://bucket.s3.amazonaws.com/t"}),
        ("AWS::CloudFormation::StackSet", {"TemplateBody": "Resources: {}"}),
        ("Somebody::Own::Thing::MODULE", {}),
        ("AWS::KMS::Key", {"KeyPolicy": {"Statement": [_STATEMENT | {"Resources": "*"}]}}),
        ("AWS::KMS::Key", {"KeyPolicy": {"statement": [_STATEMENT]}}),
        ("AWS::IAM::Policy", {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*"}]}}),
        ("AWS::IAM::Policy", {"PolicyDocument": {"Statement": [_STATEMENT | {"Effect": "Permit"}]}}),
        ("AWS::IAM::Policy", {"PolicyDocument": {"Statement": [_STATEMENT | {"Resource": {"Ref": "Nobody"}}]}}),
    ],
)
def test_what_is_not_understood_is_undecidable(kind: str, properties: Any) -> None:
    assert any(row.why for row in ledger(Resources={"A": {"Type": kind, "Properties": properties}}).rows)


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::SQS::Queue", {"RedrivePolicy": {"maxReceiveCount": 3}}),
        ("AWS::ECR::Repository", {"LifecyclePolicy": {"LifecyclePolicyText": '{"rules": []}'}}),
        ("AWS::Lambda::Function", {"Environment": {"Variables": {"A": {"Ref": "B"}, "C": {"Fn::ImportValue": "x"}}}}),
        (
            "AWS::WAFv2::WebACL",
            {"Rules": [{"Name": "a", "Statement": {"GeoMatchStatement": {"CountryCodes": ["CH"]}}}]},
        ),
        ("AWS::IAM::Role", {"ManagedPolicyArns": [{"Ref": "M"}]}),
    ],
)
def test_what_is_no_policy_is_none(kind: str, properties: Any) -> None:
    others = {
        "B": {"Type": "AWS::SQS::Queue"},
        "M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": _POLICY}},
    }
    found = ledger(Resources={"A": {"Type": kind, "Properties": properties}, **others})
    assert not found.escaped
    assert not [row for row in found.rows if row.resource == "A"]


def test_macros_and_loops_are_undecidable() -> None:
    found = ledger(Transform="AWS::Serverless-2016-10-31", Resources={"Fn::ForEach::All": ["x", ["a"], {}]})
    assert [bool(row.why) for row in found.rows] == [True] * 2


def test_a_resource_with_many_conditions_is_undecidable() -> None:
    node: Any = _POLICY
    for number in range(6):
        node = {"Fn::If": [f"C{number}", node, _NO_VALUE]}
    rows = planted(ledger(Resources={"A": {"Type": "Custom::X", "Properties": {"Policy": node}}}))
    assert any("6 conditions" in row.why for row in rows)


def test_each_instance_of_a_nested_stack_has_its_rows() -> None:
    stack = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "child"}}
    child = {"Resources": {"A": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": _POLICY}}}}
    found = ledger(child=child, Resources={"One": stack, "Two": stack})
    assert [row.template for row in planted(found)] == ["t/One", "t/Two"]
    assert not found.escaped


def test_a_ledger_that_lacks_a_policy_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.gates.model.iam.ledger.policies_in", lambda *_: ())
    found = ledger(Resources={"A": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": _POLICY}}})
    assert "A" in found.escaped[0]
