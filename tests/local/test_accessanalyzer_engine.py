"""IAM Access Analyzer on the local cloud: its answers are the offline checks', in the service's shapes, and say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import REGION, Workbench, allow

_THEIRS = "111122223333"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def admits(principal: Any, action: str = "sqs:SendMessage", **condition: Any) -> str:
    return document(allow(action, **condition) | {"Principal": principal})


@pytest.fixture
def client(workbench: Workbench) -> Any:
    return workbench.client("accessanalyzer")


@pytest.fixture
def analyzer(client: Any) -> str:
    return str(client.create_analyzer(analyzerName="one", type="ACCOUNT")["arn"])


def codes(client: Any, text: str, kind: str = "IDENTITY_POLICY") -> list[str]:
    pages = client.get_paginator("validate_policy").paginate(
        policyDocument=text, policyType=kind, PaginationConfig={"PageSize": 1}
    )
    found = [one for page in pages for one in page["findings"]]
    assert all("local cloud" in one["findingDetails"] for one in found), "that AWS has not said it"
    return [f"{one['findingType']} {one['issueCode']}" for one in found]


def test_an_account_has_one_analyzer_in_a_region(client: Any, analyzer: str, workbench: Workbench) -> None:
    assert analyzer == f"arn:aws:access-analyzer:{REGION}:{workbench.account}:analyzer/one"
    (found,) = client.list_analyzers(type="ACCOUNT")["analyzers"]
    assert (found["status"], found["managedBy"]) == ("ACTIVE", "the local cloud, which is not AWS")
    assert client.list_analyzers(type="ORGANIZATION")["analyzers"] == []
    for name, code in (("one", "ConflictException"), ("two", "ServiceQuotaExceededException")):
        with pytest.raises(ClientError, match=code):
            client.create_analyzer(analyzerName=name, type="ACCOUNT")
    with pytest.raises(ClientError, match="does not serve GetAnalyzer"):
        client.get_analyzer(analyzerName="one")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (allow("sqs:ReceiveMessage"), []),
        (allow("sqs:ReceiveMessages", "nosuch:Thing"), ["ERROR INVALID_ACTION", "ERROR INVALID_SERVICE_IN_ACTION"]),
        (allow("iam:PassRole"), ["SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE"]),
        (allow("iam:PassRole", StringEquals={"iam:PassedToService": "lambda.amazonaws.com"}), []),
        (allow("*"), ["SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"]),
        (allow("sqs:ReceiveMessage", Bool={"aws:NoSuch": "true"}), ["WARNING INVALID_GLOBAL_CONDITION_KEY"]),
        (allow("sqs:ReceiveMessage") | {"Effect": "Perhaps"}, ["ERROR POLICY_NOT_UNDERSTOOD"]),
        (allow("sqs:ReceiveMessage") | {"Principal": "*"}, ["ERROR UNSUPPORTED_PRINCIPAL"]),
    ],
)
def test_a_policy_is_validated(client: Any, statement: dict[str, Any], found: list[str]) -> None:
    assert codes(client, document(statement)) == found


def test_a_policy_that_is_none_is_an_error(client: Any) -> None:
    assert codes(client, "{") == ["ERROR JSON_SYNTAX_ERROR"]
    assert codes(client, "{}") == ["ERROR MISSING_STATEMENT"]
    assert codes(client, document(allow("sqs:SendMessage")), "RESOURCE_POLICY") == ["ERROR MISSING_PRINCIPAL"]


def previewed(client: Any, analyzer: str, arn: str, configuration: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    made = client.create_access_preview(analyzerArn=analyzer, configurations={arn: configuration})
    named = {"accessPreviewId": made["id"], "analyzerArn": analyzer}
    status = client.get_access_preview(**named)["accessPreview"]["status"]
    pages = client.get_paginator("list_access_preview_findings").paginate(**named, PaginationConfig={"PageSize": 1})
    return status, [one for page in pages for one in page["findings"]]


@pytest.mark.parametrize(
    ("principal", "condition", "admitted"),
    [
        ({"AWS": _THEIRS}, {}, [({"AWS": _THEIRS}, False)]),
        ({"AWS": [f"arn:aws:iam::{_THEIRS}:root", "*"]}, {}, [({"AWS": _THEIRS}, False), ({"AWS": "*"}, True)]),
        ({"Federated": "graph.facebook.com"}, {}, [({"Federated": "graph.facebook.com"}, False)]),
        ({"Service": "sns.amazonaws.com"}, {}, []),
        ("*", {"StringEquals": {"aws:PrincipalAccount": _THEIRS}}, [({"AWS": _THEIRS}, False)]),
    ],
)
def test_who_would_get_in_is_previewed(  # noqa: PLR0917
    client: Any, analyzer: str, workbench: Workbench, principal: Any, condition: Any, admitted: list[Any]
) -> None:
    arn = f"arn:aws:sqs:{REGION}:{workbench.account}:queue"
    queue = {"sqsQueue": {"queuePolicy": admits(principal, **condition)}}
    status, findings = previewed(client, analyzer, arn, queue)
    assert (status, [(one["principal"], one["isPublic"]) for one in findings]) == ("COMPLETED", admitted)
    for one in findings:
        assert (one["status"], one["resource"], one["resourceType"]) == ("ACTIVE", arn, "AWS::SQS::Queue")
        assert one["id"].startswith("local-cloud-")


def test_a_bucket_is_open_by_its_acl_or_an_access_point(client: Any, analyzer: str, workbench: Workbench) -> None:
    everybody = {"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}
    point = f"arn:aws:s3:{REGION}:{workbench.account}:accesspoint/point"
    bucket = {
        "bucketAclGrants": [{"grantee": everybody, "permission": "READ"}],
        "accessPoints": {point: {"accessPointPolicy": admits({"AWS": _THEIRS}, "s3:GetObject")}},
    }
    _, found = previewed(client, analyzer, "arn:aws:s3:::bucket", {"s3Bucket": bucket})
    told = [(one["sources"][0]["type"], one["principal"]["AWS"], one["isPublic"]) for one in found]
    assert told == [("S3_ACCESS_POINT", _THEIRS, False), ("BUCKET_ACL", "*", True)]


def test_what_cannot_be_previewed_is_said(client: Any, analyzer: str, workbench: Workbench) -> None:
    mine = f"arn:aws:sqs:{REGION}:{workbench.account}:queue"
    assert previewed(client, analyzer, mine, {"sqsQueue": {"queuePolicy": "{"}}) == ("FAILED", [])
    good = {"sqsQueue": {"queuePolicy": admits("*")}}
    for named, arn, configuration, code in (
        (analyzer, mine.replace(workbench.account, _THEIRS), good, "ValidationException"),
        (analyzer, mine, {"efsFileSystem": {}}, "ValidationException.*efsFileSystem"),
        (f"{analyzer}s", mine, good, "ResourceNotFoundException"),
    ):
        with pytest.raises(ClientError, match=code):
            previewed(client, named, arn, configuration)


def test_public_access_and_actions_are_checked(client: Any) -> None:
    for principal, result in (("*", "FAIL"), ({"AWS": _THEIRS}, "PASS")):
        found = client.check_no_public_access(policyDocument=admits(principal), resourceType="AWS::SQS::Queue")
        assert (found["result"], "local cloud" in found["message"]) == (result, True)
    text = document(allow("s3:Get*"), allow("sqs:SendMessage", resource="arn:aws:sqs:*:*:one"))
    for access, statements in (
        ({"actions": ["s3:GetObject"]}, [0]),
        ({"actions": ["s3:PutObject"]}, []),
        ({"actions": ["sqs:SendMessage"], "resources": ["arn:aws:sqs:eu-west-1:1:two"]}, []),
        ({"resources": ["arn:aws:sqs:eu-west-1:1:one"]}, [0, 1]),
    ):
        given = {"policyDocument": text, "policyType": "IDENTITY_POLICY"}
        found = client.check_access_not_granted(**given, access=[access])
        assert [one["statementIndex"] for one in found.get("reasons", [])] == statements
        assert found["result"] == ("FAIL" if statements else "PASS")
    many = [f"s3:Get{number}" for number in range(101)]
    with pytest.raises(ClientError, match="ValidationException"):
        client.check_access_not_granted(**given, access=[{"actions": many}])


def test_new_access_is_proven_shown_or_not_decided(client: Any) -> None:
    def compared(new: str, existing: str, kind: str = "IDENTITY_POLICY") -> dict[str, Any]:
        given = {"newPolicyDocument": new, "existingPolicyDocument": existing, "policyType": kind}
        return dict(client.check_no_new_access(**given))

    narrow, broad = document(allow("s3:GetObject")), document(allow("s3:Get*"))
    assert compared(narrow, broad)["result"] == "PASS"
    more = compared(broad, narrow)
    assert more["result"] == "FAIL"
    assert "new access: s3:get" in more["message"]
    with pytest.raises(ClientError, match="UnprocessableEntityException"):
        compared(admits("*"), admits("*"), "RESOURCE_POLICY")


def test_iam_decides_by_the_analyzer(client: Any, analyzer: str, workbench: Workbench) -> None:
    mine = {"AWS": f"arn:aws:iam::{workbench.account}:root"}
    role = workbench.role(
        "reader",
        principal=mine,
        statements=[
            allow("access-analyzer:ListAnalyzers"),
            allow("access-analyzer:GetAccessPreview", resource=analyzer),
            allow("access-analyzer:ListAccessPreviewFindings", resource=f"{analyzer}-two"),
        ],
    )
    arn = f"arn:aws:sqs:{REGION}:{workbench.account}:queue"
    queue = {arn: {"sqsQueue": {"queuePolicy": admits("*")}}}
    named = {
        "accessPreviewId": client.create_access_preview(analyzerArn=analyzer, configurations=queue)["id"],
        "analyzerArn": analyzer,
    }
    reader = workbench.client("accessanalyzer", workbench.assume(role))
    assert reader.list_analyzers()["analyzers"]
    assert reader.get_access_preview(**named)["accessPreview"]["status"] == "COMPLETED"
    refused: list[Callable[[], Any]] = [
        lambda: reader.list_access_preview_findings(**named),
        lambda: reader.create_access_preview(analyzerArn=analyzer, configurations=queue),
        lambda: reader.create_analyzer(analyzerName="two", type="ACCOUNT"),
        lambda: reader.validate_policy(policyDocument=document(), policyType="IDENTITY_POLICY"),
    ]
    for call in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
