"""The bootstrap lookup roles: what is asked of STS, and what is said when it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError

WORKLOAD, REGION = "222222222222", "eu-west-1"
ROLE = "arn:aws:iam::222222222222:role/granary/cdk-granary-lookup-role-222222222222-eu-west-1"
COMMAND = (
    "npx cdk bootstrap aws://222222222222/eu-west-1 --template workload-bootstrap.json --qualifier granary "
    "--toolkit-stack-name CDKToolkit-granary "
    "--cloudformation-execution-policies arn:aws:iam::222222222222:policy/granary-workload-execution"
)
ADVICE = (
    "run `granary bootstrap-template > workload-bootstrap.json` and, with credentials of that account, "
    f"`{COMMAND}` (its policy is what `granary execution-policy` writes, once in the account)"
)
SESSION = {
    "Credentials": {
        "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
        "SecretAccessKey": "secret",
        "SessionToken": "token",
        "Expiration": "2026-11-23T13:00:00Z",
    }
}


@pytest.fixture
def sts(aws: None) -> Iterator[Stubber]:
    with Stubber(boto3.client("sts", region_name=REGION)) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def ssm(aws: None) -> Iterator[Stubber]:
    with Stubber(boto3.client("ssm", region_name=REGION)) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def roles(sts: Stubber, ssm: Stubber) -> LookupRoles:
    return LookupRoles(sts=sts.client, qualifier="granary", make_client=lambda *_, **__: ssm.client)


def test_a_client_may_do_no_more_than_is_asked(sts: Stubber) -> None:
    made: list[Any] = []

    def make_client(service: str, **given: Any) -> str:
        made.append((service, given))
        return "client"

    roles = LookupRoles(sts=sts.client, qualifier="granary", make_client=make_client)
    action = "cloudformation:DescribeStacks"
    statement = {"Effect": "Allow", "Action": [action], "Resource": ["*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sts.add_response("assume_role", SESSION, {"RoleArn": ROLE, "RoleSessionName": "granary", "Policy": policy})
    assert roles.client("cloudformation", account=WORKLOAD, region=REGION, allow=[action]) == "client"
    ((service, given),) = made
    assert (service, given["region"]) == ("cloudformation", REGION)
    assert given["credentials"]["SessionToken"] == "token"


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity", "RegionDisabledException"])
def test_a_refusal_names_the_target_and_the_command(sts: Stubber, roles: LookupRoles, code: str) -> None:
    sts.add_client_error("assume_role", code)
    with pytest.raises(GranaryError) as refusal:
        roles.client("ssm", account=WORKLOAD, region=REGION, allow=["ssm:GetParameter"])
    assert str(refusal.value) == (
        "account 222222222222 is not bootstrapped in eu-west-1 with qualifier granary, or does not trust this "
        f"factory's roles: {ADVICE}"
    )


def test_a_fault_of_sts_stays_a_fault(sts: Stubber, roles: LookupRoles) -> None:
    sts.add_client_error("assume_role", "ExpiredToken")
    with pytest.raises(ClientError):
        roles.bootstrap_problem(account=WORKLOAD, region=REGION)


def test_a_current_bootstrap_has_no_problem(sts: Stubber, ssm: Stubber, roles: LookupRoles) -> None:
    sts.add_response("assume_role", SESSION, {"RoleArn": ROLE, "RoleSessionName": ANY, "Policy": ANY})
    asked = {"Name": "/cdk-bootstrap/granary/version"}
    ssm.add_response("get_parameter", {"Parameter": {"Value": "28"}}, asked)
    assert roles.bootstrap_problem(account=WORKLOAD, region=REGION) is None


def test_an_old_bootstrap_is_told(sts: Stubber, ssm: Stubber, roles: LookupRoles) -> None:
    sts.add_response("assume_role", SESSION)
    ssm.add_response("get_parameter", {"Parameter": {"Value": "5"}})
    problem = roles.bootstrap_problem(account=WORKLOAD, region=REGION)
    assert problem == (
        f"account 222222222222 is bootstrapped in eu-west-1 with version 5, at least version 6 is needed: {ADVICE}"
    )


def test_a_missing_version_is_told(sts: Stubber, ssm: Stubber, roles: LookupRoles) -> None:
    sts.add_response("assume_role", SESSION)
    ssm.add_client_error("get_parameter", "ParameterNotFound")
    problem = roles.bootstrap_problem(account=WORKLOAD, region=REGION)
    assert problem is not None
    assert problem.startswith("account 222222222222 is not bootstrapped in eu-west-1")


def test_a_refused_role_is_a_problem(sts: Stubber, roles: LookupRoles) -> None:
    sts.add_client_error("assume_role", "AccessDenied")
    problem = roles.bootstrap_problem(account=WORKLOAD, region=REGION)
    assert problem is not None
    assert COMMAND in problem


def test_a_fault_of_ssm_stays_a_fault(sts: Stubber, ssm: Stubber, roles: LookupRoles) -> None:
    sts.add_response("assume_role", SESSION)
    ssm.add_client_error("get_parameter", "InternalServerError")
    with pytest.raises(ClientError):
        roles.bootstrap_version(account=WORKLOAD, region=REGION)


def test_the_command_fits_the_target() -> None:
    china = LookupRoles(sts=None, qualifier="ours")
    command = china.bootstrap_command(account=WORKLOAD, region="cn-north-1")
    assert "arn:aws-cn:iam::222222222222:policy/granary-workload-execution" in command
    assert "--qualifier ours --toolkit-stack-name CDKToolkit-ours " in command
    arn = china.role_arn(account=WORKLOAD, region="cn-north-1")
    assert arn == "arn:aws-cn:iam::222222222222:role/granary/cdk-ours-lookup-role-222222222222-cn-north-1"
