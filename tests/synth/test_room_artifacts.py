"""The toolchain's side of a room's deploy role: which artifacts it is let read, and who else is not."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template as Assertions

from constructs_lib.common.artifact_store import ArtifactStore
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.tenant_arns import TENANT_ARTIFACTS
from lambdas.common.names import Names
from stacks.foundation import DEPLOYING_ROOMS, Foundation
from stacks.workload_roles import CATALOGUE
from tests.synth.assembly import as_list, flat
from tests.synth.configurations import AWS, ORGANIZATION, WORKLOAD_ACCOUNTS, configuration
from tests.synth.synthesis import feature_flags

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html
BUCKET_POLICY_LIMIT = 20 * 1024
_WORKLOAD, _STRANGER = WORKLOAD_ACCOUNTS[0], "999999999999"


@cache
def _policies(*rooms: str, accounts: tuple[str, ...] = WORKLOAD_ACCOUNTS) -> tuple[list[Any], list[Any]]:
    """The statements of the artifact bucket and of its key; without accounts, for an organization."""
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    stack = cdk.Stack(app, "stack", env=cdk.Environment(account="111111111111", region="us-east-1"))
    targets = WorkloadTargets(
        accounts=accounts,
        organization_id=None if accounts else ORGANIZATION,
        regions=["us-east-1"],
        qualifier="granary",
        rooms=rooms,
    )
    ArtifactStore(stack, "Store", names=Names(prefix="granary"), targets=targets, prefixes=TENANT_ARTIFACTS)
    template = Assertions.from_stack(stack)
    (bucket,) = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::S3::BucketPolicy").values()
        if flat(policy["Properties"]["Bucket"]).startswith("${StoreBucket")
    ]
    (key,) = template.find_resources("AWS::KMS::Key").values()
    return bucket, key["Properties"]["KeyPolicy"]["Statement"]


def _admits(statements: list[Any], role: str, *, account: str, action: str, key: str = "") -> bool:
    """Whether a statement admits a role of an account: by its account or its organization, and by its name."""
    arn = f"arn:${{AWS::Partition}}:iam::{account}:role/{role}"
    for one in statements:
        condition = one.get("Condition", {})
        patterns = [flat(value) for value in as_list(condition.get("ArnLike", {}).get("aws:PrincipalArn", []))]
        owners = [flat(value) for value in as_list(one["Principal"].get("AWS", []))]
        of_organization = "aws:PrincipalOrgID" in condition.get("StringEquals", {}) and account == _WORKLOAD
        places = [flat(place).partition(".Arn}/")[2] for place in as_list(one["Resource"])]
        if (
            (of_organization or f"arn:${{AWS::Partition}}:iam::{account}:root" in owners)
            and any(fnmatchcase(arn, pattern) for pattern in patterns)
            and action in as_list(one["Action"])
            and (not key or any(fnmatchcase(key, place) for place in places))
        ):
            return True
    return False


@pytest.mark.parametrize("accounts", [WORKLOAD_ACCOUNTS, ()])
@pytest.mark.parametrize(
    ("role", "account", "key", "may"),
    [
        ("granary/granary-lake-deploy", _WORKLOAD, "granary-lake-etl/Synth/x", True),
        ("granary/granary-lake-deploy", _WORKLOAD, "granary-delivery-app/Synth/x", False),
        ("granary/granary-lake-deploy", _WORKLOAD, "granary-cicd/Synth/x", False),
        ("granary/granary-lake-deploy", _WORKLOAD, "silo-acme-pipeline/Synth/x", False),
        ("granary/granary-lake-deploy", _STRANGER, "granary-lake-etl/Synth/x", False),
        ("granary-lake-deploy", _WORKLOAD, "granary-lake-etl/Synth/x", False),
        ("granary/lake/granary-lake-deploy", _WORKLOAD, "granary-lake-etl/Synth/x", False),
        ("granary/granary-resilience-deploy", _WORKLOAD, "granary-resilience-x/Synth/x", False),
        ("granary/cdk-granary-deploy-role-222222222222-us-east-1", _WORKLOAD, "granary-lake-etl/Synth/x", False),
    ],
)
def test_a_rooms_deploy_role_reads_its_rooms_artifacts(
    accounts: tuple[str, ...], role: str, account: str, key: str, may: bool
) -> None:
    """The rooms that deploy are on; another room has no such role."""
    bucket, key_policy = _policies("lake", "delivery", accounts=accounts)
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        assert _admits(bucket, role, account=account, action=action, key=key) is may
    assert not _admits(bucket, role, account=account, action="s3:PutObject", key=key)
    if may:
        assert _admits(key_policy, role, account=account, action="kms:Decrypt")
    assert not _admits(key_policy, role, account=account, action="kms:GenerateDataKey")


def test_without_rooms_there_is_no_statement_more() -> None:
    assert "-deploy" not in json.dumps(_policies()).replace("deploy-role", "")


def test_the_key_of_the_artifacts_is_no_strangers() -> None:
    _, key = _policies("lake")
    assert _admits(key, "granary/granary-lake-deploy", account=_WORKLOAD, action="kms:Decrypt")
    assert not _admits(key, "granary/granary-lake-deploy", account=_STRANGER, action="kms:Decrypt")
    assert not _admits(key, "granary/granary-delivery-deploy", account=_WORKLOAD, action="kms:Decrypt")


def test_fifty_accounts_and_all_rooms_fit_into_the_buckets_policy() -> None:
    accounts = tuple(f"{200000000000 + number}" for number in range(50))
    bucket, _ = _policies(*DEPLOYING_ROOMS, accounts=accounts)
    text = json.dumps(_flattened(bucket), separators=(",", ":")).replace("${AWS::Partition}", "aws-us-gov")
    longest = "arn:aws-us-gov:s3:::aaaaaaaaaaaaaaaa-artifacts-111111111111-us-gov-west-1"
    assert len(re.sub(r"\$\{StoreBucket\w+\.Arn\}", longest, text)) < BUCKET_POLICY_LIMIT


def _flattened(value: Any) -> Any:
    """Statements as CloudFormation resolves them, but for names."""
    if isinstance(value, list):
        return [_flattened(one) for one in value]
    if isinstance(value, dict):
        return (
            flat(value)
            if set(value) & {"Fn::Join", "Ref", "Fn::GetAtt"}
            else {k: _flattened(v) for k, v in value.items()}
        )
    return value


def test_the_rooms_that_are_admitted_are_those_with_a_deploy_role() -> None:
    foundation = Foundation.of(configuration(AWS))
    with_role = [
        room
        for room, roles in CATALOGUE.items()
        if foundation.names.room_role(room, "deploy") in {role.name for role in roles(foundation)}
    ]
    assert tuple(with_role) == DEPLOYING_ROOMS
