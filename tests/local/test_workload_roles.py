"""The roles of workload accounts where IAM is enforced: who gets a session, what it does, and what it never does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until
from tests.workload_roles.line import ROOMS, TRUST, ZONE, Line
from tests.workload_roles.table import LINES

REGION = "us-east-1"
TOOLCHAIN, WORKLOAD = "111111111111", "700000000002"
_APP = """
import aws_cdk as cdk
from stacks.foundation import Foundation
from stacks.workload_roles import CATALOGUE, WorkloadRolesStack
from tests.synth.configurations import AWS, configuration

app = cdk.App(analytics_reporting=False)
env = cdk.Environment(account="{account}", region="{region}")
WorkloadRolesStack(app, env=env, foundation=Foundation.of(configuration(AWS)), rooms=CATALOGUE)
app.synth()
"""
_NAMES = {name for name, who in TRUST.items() if "." not in who[0]}
_CALLED = [line for line in LINES if line.call]


@pytest.fixture(scope="module")
def roles(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A workload account with the roles of all rooms, deployed by its administrator with the real CDK CLI."""
    folder = tmp_path_factory.mktemp("roles")
    (folder / "app.py").write_text(_APP.format(account=WORKLOAD, region=REGION), encoding="utf-8")
    cloud.bootstrap(WORKLOAD, REGION, qualifier="granary")
    app = f"{sys.executable} {folder / 'app.py'}"
    cloud.cdk(
        ["deploy", "--all", "--app", app, "--output", str(folder / "cdk.out"), "--require-approval", "never"],
        account=WORKLOAD,
        region=REGION,
        cwd=PROJECT_ROOT,
        extra_env={"CDK_VALIDATION": "false", "PYTHONPATH": str(PROJECT_ROOT)},
    )
    bench = Workbench(cloud=cloud, account=WORKLOAD, region=REGION)
    _stock(bench)
    return bench


def _stock(bench: Workbench) -> None:
    """Two of everything that the table's lines are about: one that a role may touch, and a stranger's."""
    for table in ("silo-acme", "orders"):
        bench.client("dynamodb").create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
    # As docs/workload-roles.md has the account's administrator do.
    admin = f"arn:aws:iam::{WORKLOAD}:role/granary/granary-lake-catalog-admin"
    settings = {"DataLakeAdmins": [{"DataLakePrincipalIdentifier": admin}]}
    bench.client("lakeformation").put_data_lake_settings(DataLakeSettings=settings)
    for database in ("granary_lake_sales", "shop"):
        bench.client("glue").create_database(DatabaseInput={"Name": database})
    for repository in ("granary-delivery-app", "payroll"):
        bench.client("codecommit").create_repository(repositoryName=repository)
        bench.client("ecr").create_repository(repositoryName=repository)


@pytest.fixture(scope="module")
def principals(cloud: LocalCloud) -> Callable[[str], Mapping[str, str]]:
    """Sessions of the toolchain's roles, each of which may assume any role that lets it."""
    bench = Workbench(cloud=cloud, account=TOOLCHAIN, region=REGION)
    known: dict[str, Mapping[str, str]] = {}

    def session(name: str) -> Mapping[str, str]:
        if name not in known:
            root = {"AWS": f"arn:aws:iam::{TOOLCHAIN}:root"}
            known[name] = bench.assume(bench.role(name, principal=root, statements=[allow("sts:AssumeRole")]))
        return known[name]

    return session


Principals = Callable[[str], Mapping[str, str]]


def _assume(roles: Workbench, session: Mapping[str, str] | None, name: str, **asked: Any) -> dict[str, str]:
    path = "" if name in {"granary-archive", *ZONE} else "granary/"
    arn = f"arn:aws:iam::{WORKLOAD}:role/{path}{name}"
    answer = roles.cloud.client("sts", TOOLCHAIN, REGION, session).assume_role(
        RoleArn=arn, RoleSessionName="test", **asked
    )
    return dict(answer["Credentials"])


def _acts(roles: Workbench, principals: Principals, name: str, **asked: Any) -> Callable[[str], Any]:
    keys = _assume(roles, principals(TRUST[name][0]), name, **asked)
    return lambda service: roles.client(service, keys)


def _is_denied(call: Callable[[], object]) -> bool:
    """Whether IAM denies a call; what the service itself has against it does not count."""
    try:
        call()
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


@pytest.mark.parametrize("line", _CALLED, ids=str)
def test_what_a_role_must_and_must_not_be_able_to_do(roles: Workbench, principals: Principals, line: Line) -> None:
    assert line.call
    client = _acts(roles, principals, line.role)
    if line.may:
        line.call(client)
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            line.call(client)


@pytest.mark.parametrize("name", sorted(_NAMES))
def test_nobody_else_gets_a_session(roles: Workbench, principals: Principals, name: str) -> None:
    others = {one for who in TRUST.values() for one in who if "." not in one} - set(TRUST[name])
    for wrong in sorted({"developer", *others}):
        assert _is_denied(partial(_assume, roles, principals(wrong), name)), wrong
    for right in TRUST[name]:
        assert _assume(roles, principals(right), name)


def test_a_role_of_that_name_in_another_account_gets_no_session(roles: Workbench, cloud: LocalCloud) -> None:
    stranger = Workbench(cloud=cloud, account="700000000003", region=REGION)
    root = {"AWS": "arn:aws:iam::700000000003:root"}
    role = stranger.role("granary-lake-pipeline", principal=root, statements=[allow("sts:AssumeRole")])
    session = stranger.assume(role)
    assert _is_denied(lambda: _assume(roles, session, "granary-lake-deploy"))


@pytest.mark.parametrize("name", sorted(set(TRUST) - _NAMES))
def test_what_a_service_assumes_nobody_else_does(roles: Workbench, principals: Principals, name: str) -> None:
    for wrong in ("developer", "granary-resilience-runner", "granary-lake-pipeline"):
        assert _is_denied(partial(_assume, roles, principals(wrong), name)), wrong


def test_a_session_policy_narrows(roles: Workbench, principals: Principals) -> None:
    less = {"Version": "2012-10-17", "Statement": [allow("glue:*")]}
    narrow = _acts(roles, principals, "granary-lake-catalog-admin", Policy=json.dumps(less))
    assert _is_denied(lambda: narrow("lakeformation").grant_permissions(**_grant()))
    narrow("glue").create_table(DatabaseName="granary_lake_sales", TableInput={"Name": "narrow"})
    # It never widens.
    assert _is_denied(lambda: narrow("glue").create_table(DatabaseName="shop", TableInput={"Name": "narrow"}))


def _grant() -> dict[str, Any]:
    return {
        "Principal": {"DataLakePrincipalIdentifier": f"arn:aws:iam::{WORKLOAD}:role/analyst"},
        "Resource": {"Database": {"Name": "granary_lake_sales"}},
        "Permissions": ["DESCRIBE"],
    }


def test_no_session_is_longer_than_an_hour(roles: Workbench, principals: Principals) -> None:
    """Neither of a role that assumes the role, nor of anybody else whom the trust might one day admit."""
    asked = {"DurationSeconds": 3601}
    with pytest.raises(ClientError, match="1 hour session limit for roles assumed by role chaining"):
        _assume(roles, principals("granary-lake-pipeline"), "granary-lake-deploy", **asked)
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role"):
        _assume(roles, None, "granary-lake-deploy", **asked)
    assert _assume(roles, principals("granary-lake-pipeline"), "granary-lake-deploy", DurationSeconds=3600)


def _role(room: str, name: str, *, path: str, boundary: bool) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    own = f"arn:aws:iam::{WORKLOAD}:policy/granary/granary-{room}-execution"
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "Path": path,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            **({"PermissionsBoundary": own} if boundary else {}),
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"],
        },
    }


@pytest.mark.parametrize("room", ROOMS)
def test_what_cloudformation_makes_for_a_room(roles: Workbench, principals: Principals, room: str) -> None:
    """Given the room's two roles, when its pipeline deploys, then names, path and boundary hold what it makes."""
    formation = _acts(roles, principals, f"granary-{room}-deploy")("cloudformation")
    own = f"arn:aws:iam::{WORKLOAD}:role/granary/granary-{room}-execution"

    def deployed(stack: str, resource: Mapping[str, Any], **more: Mapping[str, Any]) -> tuple[str, str]:
        change_set = formation.create_change_set(
            StackName=stack,
            ChangeSetName="one",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps({"Resources": {"Made": resource, **more}}),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            RoleARN=own,
        )
        formation.execute_change_set(ChangeSetName=change_set["Id"], StackName=stack)

        def ended() -> str | None:
            status = str(formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
            return None if status.endswith("IN_PROGRESS") else status

        status = wait_until(ended, what=f"the end of {stack}")
        events = formation.describe_stack_events(StackName=stack)["StackEvents"]
        return status, " ".join(event.get("ResourceStatusReason", "") for event in events)

    path = f"/granary/{room}/"
    job = _role(room, f"granary-{room}-job", path=path, boundary=True)
    inline = {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow("*")]}}
    policy = {"Type": "AWS::IAM::Policy", "Properties": {**inline, "Roles": [{"Ref": "Made"}]}}
    assert deployed(f"granary-{room}-job", job, Policy=policy)[0] == "CREATE_COMPLETE"
    table = {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "id", "KeyType": "HASH"}
    for name, resource, action in (
        ("free", _role(room, f"granary-{room}-free", path=path, boundary=False), "iam:CreateRole"),
        ("root", _role(room, f"granary-{room}-root", path="/", boundary=True), "iam:CreateRole"),
        ("named", _role(room, "silo-acme", path=path, boundary=True), "iam:CreateRole"),
        (
            "table",
            {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": f"silo-{room}",
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [table[0]],
                    "KeySchema": [table[1]],
                },
            },
            "dynamodb:CreateTable",
        ),
    ):
        status, reason = deployed(f"granary-{room}-{name}", resource)
        assert status == "ROLLBACK_COMPLETE", name
        assert f"granary-{room}-execution/AWSCloudFormation is not authorized to perform: {action}" in reason
    formation.delete_stack(StackName=f"granary-{room}-job", RoleARN=own)


def test_what_a_room_makes_is_no_administrator_whatever_it_is_given(roles: Workbench) -> None:
    """The boundary counts for a role with AdministratorAccess."""
    own = f"arn:aws:iam::{WORKLOAD}:policy/granary/granary-lake-execution"
    roles.client("iam").create_role(
        RoleName="granary-lake-bounded",
        Path="/granary/lake/",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"AWS": WORKLOAD}, "Action": "sts:AssumeRole"}],
            }
        ),
        PermissionsBoundary=own,
    )
    everything = {"Version": "2012-10-17", "Statement": [allow("*")]}
    roles.client("iam").put_role_policy(
        RoleName="granary-lake-bounded", PolicyName="all", PolicyDocument=json.dumps(everything)
    )
    keys = roles.assume(f"arn:aws:iam::{WORKLOAD}:role/granary/lake/granary-lake-bounded")
    for call in (
        lambda: roles.client("iam", keys).create_user(UserName="granary-lake-user"),
        lambda: roles.client("dynamodb", keys).get_item(TableName="silo-acme", Key={"id": {"S": "1"}}),
        lambda: roles.client("iam", keys).attach_role_policy(
            RoleName="granary-lake-execution", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
    ):
        assert _is_denied(call)
