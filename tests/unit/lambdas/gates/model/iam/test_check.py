"""What is found in the policies of templates, without an account."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.gates.model.iam.assembly import Assembly
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.check import Checked, Settings, check
from lambdas.gates.model.iam.syntax import TemplateError
from lambdas.gates.model.iam.template import Where

CATALOGUE = Catalogue()
_OWN = "111111111111"
_OTHER = "222222222222"
_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_PATHS = "aws:PrincipalOrgPaths"


def checked(resources: dict[str, Any], settings: Settings | None = None, **sections: Any) -> Checked:
    body = {"Resources": resources, **sections}
    assembly = Assembly(templates={"t": body}, where=Where(account=_OWN, region="eu-west-1"))
    return check(assembly, settings or Settings(), CATALOGUE)


def found(resources: dict[str, Any], settings: Settings | None = None, **sections: Any) -> list[tuple[str, str]]:
    """The rules that hit, and where."""
    return [(one.rule, one.resource) for one in checked(resources, settings, **sections).findings]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Resource": "*"} | one for one in statements]}


def role(*statements: dict[str, Any], by: Any = None, **properties: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": by or {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    inline = {"Policies": [{"PolicyName": "p", "PolicyDocument": document(*statements)}]} if statements else {}
    told = {"AssumeRolePolicyDocument": {"Statement": trust}, **inline, **properties}
    return {"Type": "AWS::IAM::Role", "Properties": told}


def queue_policy(**told: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": document({"Action": "sqs:*"} | told)}}


# The template of the post that introduces cfn-policy-validator.
_POST = {
    "Queue": {"Type": "AWS::SQS::Queue"},
    "QueuePolicy": queue_policy(Principal={"AWS": {"Ref": "Account"}}),
    "Role": role({"Action": "sqs:ReceiveMessages", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}),
}
_ACCOUNT = {"Account": {"Type": "String", "Default": _OTHER}}


def test_the_example_of_the_post_has_its_two_findings() -> None:
    """The account is a parameter's default, which the public tool does not know."""
    findings = checked(_POST, Parameters=_ACCOUNT).findings
    assert {(one.rule, one.resource, one.severity) for one in findings} == {
        ("external-principal", "QueuePolicy", Severity.HIGH),
        ("unknown-action", "Role", Severity.MEDIUM),
    }
    (unknown,) = (one for one in findings if one.rule == "unknown-action")
    assert "sqs:receivemessage " in unknown.description
    assert CATALOGUE.date in unknown.description


def test_an_allowed_principal_leaves_one_finding() -> None:
    settings = Settings(allow_external_principals=frozenset({_OTHER}))
    assert found(_POST, settings, Parameters=_ACCOUNT) == [("unknown-action", "Role")]


@pytest.mark.parametrize(
    ("told", "rules"),
    [
        ({"Principal": "*"}, ["public-access"]),
        ({"Principal": {"AWS": "*"}}, ["public-access"]),
        ({"NotPrincipal": {"AWS": _OWN}}, ["public-access"]),
        ({"Principal": {"AWS": f"arn:aws:iam::{_OTHER}:root"}}, ["external-principal"]),
        ({"Principal": {"AWS": [_OWN, f"arn:aws:iam::{_OWN}:role/r"]}}, []),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, []),
        ({"Principal": {"Federated": "accounts.google.com"}}, ["external-principal"]),
        ({"Principal": {"Federated": f"arn:aws:iam::{_OWN}:oidc-provider/host"}}, ["external-principal"]),
        ({"Principal": {"CanonicalUser": "79a59"}}, ["external-principal"]),
        ({"Principal": "*", "Effect": "Deny"}, []),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": _OWN}}}, []),
        ({"Principal": "*", "Condition": {"StringLike": {"aws:SourceOwner": [_OTHER, _OWN]}}}, ["external-principal"]),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, ["external-principal"]),
        ({"Principal": "*", "Condition": {"ForAnyValue:StringLike": {_PATHS: "o-1/r-1/*"}}}, ["external-principal"]),
        ({"Principal": "*", "Condition": {"ForAllValues:StringLike": {_PATHS: "o-1/r-1/*"}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"ForAnyValue:StringLike": {_PATHS: "*"}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": _OTHER}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalAccount": _OWN}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"ForAllValues:StringEquals": {"aws:SourceArn": "x"}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:iam::*:role/x"}}}, ["public-access"]),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{_OWN}:*"}}}, []),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, []),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, ["public-access"]),
    ],
)  # fmt: skip
def test_who_gets_in_from_outside(told: dict[str, Any], rules: list[str]) -> None:
    assert [rule for rule, _ in found({"A": queue_policy(**told)})] == rules


@pytest.mark.parametrize(
    ("kind", "told", "rules"),
    [
        ("AWS::Lambda::Permission", {"Principal": "*", "FunctionUrlAuthType": "NONE"}, ["public-access"]),
        ("AWS::Lambda::Permission", {"Principal": "*", "PrincipalOrgID": "o-1"}, ["external-principal"]),
        ("AWS::Lambda::Permission", {"Principal": "s3.amazonaws.com"}, []),
        ("AWS::Lambda::Permission", {"Principal": _OTHER}, ["external-principal"]),
        ("AWS::Lambda::LayerVersionPermission", {"Principal": "*", "LayerVersionArn": "a"}, ["public-access"]),
        ("AWS::S3::Bucket", {"AccessControl": "PublicRead"}, ["public-access"]),
        ("AWS::RAM::ResourceShare", {"Name": "n", "Principals": [_OWN, _OTHER]}, ["external-principal"]),
        ("AWS::EC2::VPCEndpoint", {"PolicyDocument": document({"Action": "*", "Principal": "*"})}, []),
    ],
)  # fmt: skip
def test_permissions_without_a_document(kind: str, told: dict[str, Any], rules: list[str]) -> None:
    assert [rule for rule, _ in found({"A": {"Type": kind, "Properties": told}})] == rules


def test_an_identity_provider_is_allowed_by_its_name() -> None:
    own = queue_policy(Principal={"Federated": f"arn:aws:iam::{_OWN}:oidc-provider/host"})
    assert found({"A": own}, Settings(allow_external_principals=frozenset({"host"}))) == []


def test_a_path_is_allowed_with_its_organization_or_alone() -> None:
    who = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    within = {"ForAnyValue:StringLike": {_PATHS: ["o-1/r-1/*"]}}
    policy = {"Statement": [who | {"Condition": within}]}
    resources = {"A": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": ["q"], "PolicyDocument": policy}}}
    for allowed in ("o-1", "o-1/r-1/*"):
        assert found(resources, Settings(allow_external_principals=frozenset({allowed}))) == []
    assert found(resources, Settings(allow_external_principals=frozenset({"o-2"}))) == [("external-principal", "A")]


def test_an_organization_is_allowed_by_its_id() -> None:
    permission = {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*", "PrincipalOrgID": "o-1"}}
    assert found({"A": permission}, Settings(allow_external_principals=frozenset({"o-1"}))) == []


def test_a_role_that_another_account_trusts_is_external() -> None:
    (finding,) = checked({"A": role(by={"AWS": _OTHER})}).findings
    assert (finding.rule, finding.title.split()[0]) == ("external-principal", "Trust")
    assert found({"A": role(by={"AWS": _OTHER})}, Settings(own_accounts=frozenset({_OTHER}))) == []


@pytest.mark.parametrize("condition", ["s3:Prefixx", "aws:PrincipalOrg", "kms:Foo"])
def test_an_unknown_key_is_found(condition: str) -> None:
    assert found({"A": role({"Action": "s3:GetObject", "Condition": {"StringEquals": {condition: "x"}}})}) == [
        ("unknown-condition", "A")
    ]


@pytest.mark.parametrize(
    "key",
    """
    aws:RequestTag/a aws:PrincipalTag/a s3:prefix kms:EncryptionContext:a s3:ExistingObjectTag/a iam:PassedToService
    token.actions.githubusercontent.com:sub aws:SourceVpc AWS:SOURCEIP
    """.split(),  # noqa: SIM905
)
def test_keys_that_are_there_are_known(key: str) -> None:
    assert CATALOGUE.knows_key(key.lower())


@pytest.mark.parametrize("action", ["s3:*", "*", "S3:getobject", "s3:Get*", "ec2:Describe?nstances"])
def test_actions_that_are_there_are_known(action: str) -> None:
    assert "unknown-action" not in {rule for rule, _ in found({"A": role({"Action": action})})}


# A managed policy that nobody has, and one that a role has: the public tool looks at the second alone.
_MANAGED = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document({"Action": "s3:PutObject"})}}


def test_an_orphaned_managed_policy_is_checked() -> None:
    reference = Settings(reference=document({"Action": "s3:Get*"}), denied_actions=("s3:Put*",))
    assert found({"A": _MANAGED}, reference) == [("new-access", "A"), ("denied-action", "A")]


def test_what_cannot_be_compared_is_a_finding_of_its_own() -> None:
    reference = Settings(reference=document({"Action": "s3:Get*", "Resource": "arn:aws:s3:::b"}))
    bucket = {"Type": "AWS::S3::Bucket"}
    here = role({"Action": "s3:GetObject", "Resource": {"Fn::GetAtt": ["B", "Arn"]}})
    (finding,) = checked({"A": here, "B": bucket}, reference).findings
    assert (finding.rule, finding.severity) == ("new-access-undecided", Severity.UNKNOWN)


def test_denied_actions_are_all_looked_at() -> None:
    """Far more than the 100 that one call of Access Analyzer takes."""
    denied = tuple(CATALOGUE.actions_of("ec2")[:150])
    hits = checked({"A": role({"Action": list(denied[100:])})}, Settings(denied_actions=denied)).findings
    assert [one.title for one in hits] == [f"It grants {action}" for action in denied[100:]]


_DENY = {"Action": "iam:*", "Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "hit"),
    [
        ([{"Action": "iam:Create*"}], True),
        ([{"NotAction": "s3:*"}], True),
        ([{"NotAction": "iam:*"}], False),
        ([{"Action": "iam:*"}, {"Action": "iam:CreateU*", "Effect": "Deny"}], False),
        ([{"Action": "iam:*"}, _DENY | {"Condition": {"Bool": {"aws:ViaAWSService": "true"}}}], True),
        ([{"Action": "iam:*"}, _DENY], False),
    ],
)  # fmt: skip
def test_an_action_is_granted_unless_it_is_denied_to_all(statements: list[dict[str, Any]], hit: bool) -> None:
    rules = found({"A": role(*statements)}, Settings(denied_actions=("iam:CreateUser",)))
    assert (("denied-action", "A") in rules) is hit


_PASS = {"Action": "iam:PassRole"}
_TO_EC2 = _PASS | {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
_CREATE = {"Action": ["lambda:CreateFunction", "lambda:InvokeFunction"]}


@pytest.mark.parametrize(
    ("statements", "rule"),
    [
        ([{"Action": "*"}], "full-access"),
        ([{"Action": "iam:CreatePolicyVersion"}], "privilege-escalation"),
        ([{"Action": "iam:CreateAccessKey", "Resource": "arn:aws:iam::*:user/${aws:username}"}], ""),
        ([{"Action": "iam:Attach*"}], "privilege-escalation"),
        ([{"Action": "iam:PutRolePolicy", "Resource": f"arn:aws:iam::{_OWN}:role/*"}], "privilege-escalation"),
        ([{"Action": "iam:PutRolePolicy", "Resource": f"arn:aws:iam::{_OTHER}:role/*"}], ""),
        ([{"NotAction": "s3:*"}], "privilege-escalation"),
        ([_PASS, _CREATE], "privilege-escalation"),
        ([_PASS | {"Resource": f"arn:aws:iam::{_OWN}:role/*"}, _CREATE], "privilege-escalation"),
        ([_TO_EC2, _CREATE], ""),
        ([_PASS], ""),
        ([_CREATE], ""),
        ([_PASS, _CREATE, {"Action": "iam:PassRole", "Effect": "Deny"}], ""),
        ([{"Action": "s3:*"}], ""),
    ],
)
def test_who_can_become_an_administrator_alone(statements: list[dict[str, Any]], rule: str) -> None:
    assert found({"A": role(*statements)}) == ([(rule, "A")] if rule else [])


def test_a_policy_beside_the_role_counts_for_it() -> None:
    """Rights that are harmless apart: one in the role, one attached, and one by its managed policies."""
    attached = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "p", "PolicyDocument": document(_PASS), "Roles": [{"Ref": "A"}]},
    }
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(_PASS)}}
    assert found({"A": role(_CREATE), "P": attached}) == [("privilege-escalation", "A")]
    both = {"A": role(_CREATE, ManagedPolicyArns=[{"Ref": "M"}]), "M": managed}
    assert [rule for rule, _ in found(both)] == ["privilege-escalation"]


_BOUNDARY = {
    "Type": "AWS::IAM::ManagedPolicy",
    "Properties": {"PolicyDocument": document({"Action": ["s3:*", "iam:*"]})},
}
_READS = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.mark.parametrize(
    ("boundary", "statements", "rule"),
    [
        ({"Ref": "M"}, [_PASS, _CREATE], ""),
        ({"Ref": "M"}, [{"Action": "iam:CreatePolicyVersion"}], "privilege-escalation"),
        ({"Ref": "M"}, [{"Action": "*"}], "privilege-escalation"),
        (_READS, [{"Action": "*"}], ""),
        (_ADMIN, [{"Action": "*"}], "full-access"),
        ("arn:aws:iam::111111111111:policy/elsewhere", [{"Action": "*"}], "full-access"),
        ({"Fn::If": ["Always", _READS, {"Ref": "AWS::NoValue"}]}, [{"Action": "*"}], "full-access"),
    ],
)
def test_a_boundary_takes_ways_away(boundary: Any, statements: list[dict[str, Any]], rule: str) -> None:
    """What it does not allow; one that is not known, or not always there, takes none."""
    resources = {"A": role(*statements, PermissionsBoundary=boundary), "M": _BOUNDARY}
    hits = found(resources, Conditions={"Always": {"Fn::Equals": ["a", "a"]}})
    assert [each for each in hits if each[1] == "A"] == ([(rule, "A")] if rule else [])


def test_a_user_and_a_role_of_one_name_are_two() -> None:
    user = {
        "Type": "AWS::IAM::User",
        "Properties": {"UserName": "n", "Policies": [{"PolicyName": "p", "PolicyDocument": document({"Action": "*"})}]},
    }
    bound = role({"Action": "s3:*"}, RoleName="n", PermissionsBoundary=_READS)
    assert found({"R": bound, "U": user}) == [("full-access", "U")]


def test_the_texts_of_managed_policies_of_aws_are_known() -> None:
    assert ("full-access", "A") in found({"A": role(ManagedPolicyArns=[_ADMIN])})
    logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert found({"A": role(ManagedPolicyArns=[logs])}) == []
    withdrawn = "arn:aws:iam::aws:policy/AIOpsAssistantPolicy"  # has actions that are no more: AWS's to repair
    assert found({"A": role(ManagedPolicyArns=[withdrawn])}) == []


def _ways(resources: dict[str, Any]) -> dict[str, str]:
    findings = checked(resources).findings
    return {one.resource: one.description for one in findings if one.rule == "privilege-escalation"}


_ARN = {"Fn::GetAtt": ["Admin", "Arn"]}
_OF_OWN = {"AWS": _OWN}


@pytest.mark.parametrize(
    ("by", "statements", "word"),
    [
        (_OF_OWN, [{"Action": "sts:AssumeRole", "Resource": _ARN}], "sts:assumerole"),
        ({"AWS": {"Fn::GetAtt": ["A", "Arn"]}}, [{"Action": "sts:*"}], "sts:assumerole"),
        ({"AWS": f"arn:aws:iam::{_OWN}:role/else"}, [{"Action": "sts:AssumeRole"}], ""),
        (_OF_OWN, [{"Action": "s3:*"}], ""),
        (None, [_PASS | {"Resource": _ARN}, _CREATE], "iam:passrole"),
        ({"Service": "ec2.amazonaws.com"}, [_PASS | {"Resource": _ARN}, _CREATE], ""),
        (None, [{"Action": "iam:UpdateAssumeRolePolicy", "Resource": _ARN}], "iam:updateassumerolepolicy"),
        (None, [{"Action": "lambda:UpdateFunctionCode"}], "lambda:updatefunctioncode"),
        (None, [{"Action": "lambda:UpdateFunctionCode", "Resource": "arn:aws:lambda:*:*:function:else"}], ""),
    ],
)
def test_a_role_that_reaches_an_administrator_is_named(by: Any, statements: list[dict[str, Any]], word: str) -> None:
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Role": _ARN, "FunctionName": "f"}}
    ways = _ways({"A": role(*statements), "Admin": role({"Action": "*"}, by=by), "F": function})
    assert set(ways) == ({"A"} if word else set())
    assert word in ways.get("A", "")


def test_a_way_over_several_roles_is_told_step_by_step() -> None:
    def assume(name: str) -> dict[str, Any]:
        return {"Action": "sts:AssumeRole", "Resource": {"Fn::GetAtt": [name, "Arn"]}}

    resources = {
        "A": role(assume("B")),
        "B": role(assume("C"), by=_OF_OWN),
        "C": role({"Action": "*"}, by=_OF_OWN),
    }
    assert _ways(resources)["A"] == "By A -> (sts:assumerole) B -> (sts:assumerole) C."


def test_a_policy_behind_a_condition_is_checked_in_each_branch() -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    who = {"Fn::If": ["Never", "*", {"AWS": _OTHER}]}
    hidden = queue_policy(Principal=who) | {"Condition": "Never"}
    assert {rule for rule, _ in found({"A": hidden}, Conditions=conditions)} == {"public-access", "external-principal"}


def test_each_finding_is_known_by_a_fingerprint_of_its_own() -> None:
    stack = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "child"}}
    child = {"Resources": _POST | {"Role": role({"Action": ["sqs:One", "sqs:Two"]})}, "Parameters": _ACCOUNT}
    templates = {"t": {"Resources": {"One": stack, "Two": stack}}, "child": child}
    assembly = Assembly(templates=templates, where=Where(account=_OWN, region="eu-west-1"))

    def prints() -> list[str]:
        return [one.fingerprint for one in _findings(assembly)]

    assert len(prints()) == len(set(prints())) == 6
    assert prints() == prints()


def _findings(assembly: Assembly) -> list[Finding]:
    return check(assembly, Settings(), CATALOGUE).findings


_WORDS = st.sampled_from(
    """
    Resources Type Properties Ref Fn::If Fn::Sub Fn::GetAtt Fn::Join Condition Statement Effect Allow Action Principal
    AWS * A AWS::IAM::Role PolicyDocument Roles Export Name Value Metadata DependsOn Conditions Fn::Not Fn::Equals
    Parameters Default {[
    """.split()  # noqa: SIM905
)
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | _WORDS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_WORDS, below, max_size=4),
    max_leaves=20,
)
_KINDS = st.sampled_from(
    ["AWS::IAM::Role", "AWS::SQS::QueuePolicy", "AWS::CloudFormation::Stack", "AWS::Lambda::Permission"]
)
_SECTIONS = st.sampled_from(["Conditions", "Parameters", "Mappings", "Outputs", "Transform"])


@given(
    resource=st.fixed_dictionaries({"Type": _KINDS | _ANY, "Properties": _ANY}, optional={"Condition": _ANY}) | _ANY,
    policy=_ANY,
    sections=st.dictionaries(_SECTIONS, st.dictionaries(st.just("A"), _ANY, max_size=1) | _ANY, max_size=2),
)
@settings(max_examples=300, deadline=None)
def test_no_template_is_passed_by_accident(*, resource: Any, policy: Any, sections: Any) -> None:
    """Whatever it is, it is checked, refused in words, or has a row that says what is not understood."""
    holder = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}
    with suppress(TemplateError):
        told = checked({"A": resource, "B": holder}, Settings(denied_actions=("*",)), **sections)
        rules = {one.rule for one in told.findings if one.resource == "B"}
        statement = isinstance(policy, dict) and {"Effect", "Action"} <= set(policy)
        assert rules or told.ledger.escaped or not statement
