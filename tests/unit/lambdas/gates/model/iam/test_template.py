"""What values of a template are before it is deployed."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from lambdas.gates.model.iam.assembly import Assembly, deployed
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.functions import Undecidable
from lambdas.gates.model.iam.syntax import TemplateError, parameters_of
from lambdas.gates.model.iam.template import Template, Where

CATALOGUE = Catalogue()
WHERE = Where(account="111111111111", region="eu-west-1")
_BODY: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String", "Default": "queue"},
        "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Given": {"Type": "String"},
        "Latest": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"},
    },
    "Mappings": {"Map": {"eu-west-1": {"key": "found"}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Name"}, "queue"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "One": {"Fn::Or": [{"Condition": "Unknown"}, {"Condition": "Yes"}]},
        "Unknown": {"Fn::Equals": [{"Ref": "Given"}, "x"]},
        "Later": {"Fn::Equals": [{"Ref": "Bare"}, "x"]},
    },
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}},
        "Bare": {"Type": "AWS::S3::Bucket"},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "mine"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/team/", "RoleName": "r"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "l"}},
        "Base": {"Type": "AWS::RDS::DBCluster"},
        "Own": {"Type": "Custom::Thing"},
    },
}


def _template(body: dict[str, Any] = _BODY, **given: str) -> Template:
    return Template(body, path="t", where=WHERE, catalogue=CATALOGUE, given=given.get)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Name"}, "queue"),
        ({"Ref": "Names"}, ["a", "b"]),
        ({"Ref": "AWS::AccountId"}, "111111111111"),
        ({"Ref": "Bucket"}, "mine"),
        ({"Ref": "Bare"}, "${@t#Bare}"),
        ({"Ref": "Topic"}, "arn:aws:sns:eu-west-1:111111111111:t"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws:sqs:eu-west-1:111111111111:queue"),
        ({"Fn::GetAtt": "Bare.Arn"}, "arn:aws:s3:::${@t#Bare}"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::111111111111:role/team/r"),
        ({"Fn::GetAtt": ["Base", "MasterUserSecret.SecretArn"]}, "${@t#Base.MasterUserSecret.SecretArn}"),
        ({"Fn::GetAtt": ["Logs", "Arn"]}, "arn:aws:logs:eu-west-1:111111111111:log-group:l:*"),
        ({"Fn::Sub": "${Bucket}/${!aws:username}/${AWS::Region}/${Queue.Arn}"},
         "mine/${aws:username}/eu-west-1/arn:aws:sqs:eu-west-1:111111111111:queue"),
        ({"Fn::Sub": ["${a}", {"a": {"Ref": "Name"}}]}, "queue"),
        ({"Fn::Join": ["-", [{"Ref": "Name"}, 1, True]]}, "queue-1-true"),
        ({"Fn::Join": ["", {"Ref": "Names"}]}, "ab"),
        ({"Fn::Select": ["1", {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": [4, {"Fn::Split": [":", {"Fn::GetAtt": ["Role", "Arn"]}]}]}, "111111111111"),
        ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "key"]}, "found"),
        ({"Fn::FindInMap": ["Map", "x", "key", {"DefaultValue": "d"}]}, "d"),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["Both", "a", "b"]}, "b"),
        ({"Fn::If": ["One", "a", "b"]}, "a"),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a": "queue"}'),
        ([1, {"Ref": "AWS::NoValue"}, {"a": {"Ref": "AWS::NoValue"}}], [1, {}]),
    ],
)  # fmt: skip
def test_a_value(node: Any, value: Any) -> None:
    assert _template().value(node) == value


@pytest.mark.parametrize(
    ("node", "word"),
    [
        ({"Ref": "Given"}, "Given"),
        ({"Ref": "Latest"}, "Systems Manager"),
        ({"Ref": "Nothing"}, "Nothing"),
        ({"Fn::GetAtt": ["Own", "Arn"]}, "Custom::Thing"),
        ({"Fn::GetAtt": ["Nothing", "Arn"]}, "Nothing"),
        ({"Fn::GetAtt": []}, "documents"),
        ({"Fn::Join": ["", ["a", {"Ref": "Given"}]]}, "Given"),
        ({"Fn::Sub": "${Given}"}, "Given"),
        ({"Fn::Sub": "{{resolve:ssm:a:1}}"}, "resolve"),
        ("{{resolve:secretsmanager:a}}", "resolve"),
        ({"Fn::Select": [9, ["a"]]}, "documents"),
        ({"Fn::Split": ["-", {"Ref": "Bare"}]}, "split"),
        ({"Fn::FindInMap": ["Map", "x", "key"]}, "mapping"),
        ({"Fn::If": ["Unknown", "a", "b"]}, "Given"),
        ({"Fn::If": ["Later", "a", "b"]}, "after deployment"),
        ({"Fn::If": ["Missing", "a", "b"]}, "Missing"),
        ({"Fn::ImportValue": "x"}, "export x"),
        ({"Fn::Transform": {"Name": "m"}, "Statement": []}, "Fn::Transform"),
        ({"Fn::GetAZs": ""}, "Fn::GetAZs"),
    ],
)
def test_what_cannot_be_told_is_said(node: Any, word: str) -> None:
    value = _template().value(node)
    assert isinstance(value, Undecidable)
    assert word in value.reason


def test_a_given_value_goes_before_a_default() -> None:
    assert _template(Name="other").value({"Ref": "Name"}) == "other"
    assert _template(Given="x").value({"Fn::If": ["Unknown", "a", "b"]}) == "a"


@pytest.mark.parametrize(
    "told",
    [
        {"Parameters": {"K": "v=w"}, "Tags": {}},
        [{"ParameterKey": "K", "ParameterValue": "v=w"}],
        ["K=v=w"],
    ],
)
def test_a_template_configuration_has_three_shapes(told: Any) -> None:
    assert parameters_of(told) == {"K": "v=w"}


@pytest.mark.parametrize("told", [None, "K=v", {}, [1], ["K"], [{"ParameterKey": "K"}]])
def test_another_shape_is_refused(told: Any) -> None:
    with pytest.raises(TemplateError, match="template configuration"):
        parameters_of(told)


def _circle(node: Any) -> dict[str, Any]:
    return {"Resources": {
        "A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": node}},
        "B": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${A.QueueName}"}}},
    }}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        _circle({"Ref": "B"}),
        _circle({"Fn::Join": ["", [{"Ref": "B"}]]}),
        _circle({"Fn::Select": [0, [{"Fn::GetAtt": ["B", "Arn"]}]]}),
        _circle({"Fn::If": ["C", {"Fn::Sub": ["${x}", {"x": {"Ref": "B"}}]}, ""]}),
        {"Conditions": {"C": {"Fn::Not": [{"Condition": "D"}]}, "D": {"Condition": "C"}}},
        {"Resources": {"A": {"Type": "X", "DependsOn": "B"}, "B": {"Type": "X", "DependsOn": ["A"]}}},
    ],
)
def test_a_circle_is_named(body: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match=r"A -> B|B -> A|C -> |D -> "):
        _template(body)


def test_a_template_that_is_nested_too_deeply_is_named() -> None:
    node: Any = "x"
    for _ in range(500):
        node = [node]
    with pytest.raises(TemplateError, match="nested deeper"):
        _template({"Resources": {"A": {"Type": "X", "Properties": node}}})


def test_names_of_services_end_as_botocore_has_it() -> None:
    known = {one["id"]: one["outputs"] for one in botocore.session.get_session().get_data("partitions")["partitions"]}
    assert known
    for partition, told in known.items():
        where = Where(account="1", region=told["implicitGlobalRegion"], partition=partition)
        template = Template({"Resources": {}}, path="t", where=where, catalogue=CATALOGUE)
        assert template.reference("AWS::URLSuffix") == told["dnsSuffix"]


def _assembly(**templates: Any) -> list[Template]:
    return deployed(Assembly(templates=templates, where=WHERE), CATALOGUE)


_NESTED = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "child"}}


def test_nested_stacks_get_their_parameters_and_hand_back_outputs() -> None:
    child = {
        "Parameters": {"P": {"Type": "String", "Default": "default"}},
        "Outputs": {"O": {"Value": {"Fn::Sub": "${P}!"}}},
    }
    parent = {
        "Resources": {
            "First": _NESTED | {"Properties": {"Parameters": {"P": {"Ref": "AWS::Region"}}}},
            "Second": _NESTED | {"Properties": {"Parameters": {"P": {"Fn::GetAtt": ["First", "Outputs.O"]}}}},
            "Third": _NESTED,
        }
    }
    root, *nested = _assembly(parent=parent, child=child)
    assert [one.key for one in nested] == ["parent/First", "parent/Second", "parent/Third"]
    outputs = [root.value({"Fn::GetAtt": [name, "Outputs.O"]}) for name in ("First", "Second", "Third")]
    assert outputs == ["eu-west-1!", "eu-west-1!!", "default!"]


def test_stacks_that_nest_each_other_are_named() -> None:
    with pytest.raises(TemplateError, match="child"):
        _assembly(child={"Resources": {"A": _NESTED}})


def test_exports_of_the_assembly_are_known() -> None:
    one = {"Outputs": {"O": {"Value": "v", "Export": {"Name": {"Fn::Sub": "${AWS::Region}-x"}}}}}
    other: dict[str, Any] = {"Resources": {}}
    assert _assembly(a=one, b=other)[1].value({"Fn::ImportValue": "eu-west-1-x"}) == "v"


def test_stacks_that_import_from_each_other_are_named() -> None:
    def stack(mine: str, other: str) -> dict[str, Any]:
        return {"Outputs": {"O": {"Value": {"Fn::ImportValue": other}, "Export": {"Name": mine}}}}

    with pytest.raises(TemplateError, match="without end"):
        _assembly(a=stack("a", "b"), b=stack("b", "a"))[0].value({"Fn::ImportValue": "a"})
