"""Who may read artifacts: the roles with which pipelines deploy into the workload accounts, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from lambdas.saas.model.names import SaasNames
from tests.synth.assembly import Template, as_list, flat
from tests.synth.cases import CASES, FACTORIES
from tests.synth.configurations import ORGANIZATION, PATHS, TOOLCHAIN_ACCOUNT

Statement = Mapping[str, Any]

_READS = {
    "AWS::S3::BucketPolicy": {"s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "AWS::KMS::Key": {"kms:Decrypt", "kms:DescribeKey"},
}


@pytest.fixture(params=FACTORIES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _artifact_policies(templates: list[Template]) -> Iterator[tuple[str, list[Statement]]]:
    """The artifact buckets' and keys' policies, by type."""
    for template in templates:
        bucket_name = SaasNames(prefix="granary").artifacts_bucket(TOOLCHAIN_ACCOUNT, template.region)
        buckets = [
            logical_id
            for logical_id, resource in template.resources("AWS::S3::Bucket")
            if resource["Properties"]["BucketName"] == bucket_name
        ]
        if not buckets:
            continue  # the factory's roles in a workload account
        (bucket,) = buckets
        for _, resource in template.resources("AWS::S3::BucketPolicy"):
            if resource["Properties"]["Bucket"] == {"Ref": bucket}:
                yield resource["Type"], resource["Properties"]["PolicyDocument"]["Statement"]
        for _, resource in template.resources("AWS::KMS::Key"):
            if resource["Properties"]["Description"] == "Pipeline artifacts":
                yield resource["Type"], resource["Properties"]["KeyPolicy"]["Statement"]


def _strangers(statements: list[Statement]) -> list[Statement]:
    """The statements that admit somebody who is not the toolchain account itself."""
    own = f"arn:${{AWS::Partition}}:iam::{TOOLCHAIN_ACCOUNT}:root"
    return [
        statement
        for statement in statements
        if statement["Effect"] == "Allow"
        and flat(statement["Principal"].get("AWS", "")) != own
        and not _is_own_role(statement)
    ]


def _is_own_role(statement: Statement) -> bool:
    """Whether a statement admits a role of the toolchain account, and nobody else."""
    return bool(statement.get("Condition", {}).get("StringEquals") == {"aws:PrincipalAccount": TOOLCHAIN_ACCOUNT})


def test_a_new_key_abroad_admits_the_tenants_pipelines_before_its_alias_counts(
    case: str, templates_of: Callable[[str], list[Template]]
) -> None:
    """The role's policy knows the key by its alias, which takes up to five minutes to count."""
    found = {
        template.stack: [one for kind, all_ in _artifact_policies([template]) for one in all_ if _is_own_role(one)]
        for template in templates_of(case)
        if "-artifacts-" in template.stack
    }
    assert len(found) == len(CASES[case].place.regions) - 1
    for statements in found.values():
        (statement,) = statements
        assert {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"} <= set(statement["Action"])
        role = f"arn:${{AWS::Partition}}:iam::{TOOLCHAIN_ACCOUNT}:role/granary-tenant-pipeline"
        assert flat(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]) == role


def test_the_policies_admit_exactly_the_deploy_roles(case: str, templates_of: Callable[[str], list[Template]]) -> None:
    templates = templates_of(case)
    found = list(_artifact_policies(templates))
    assert len(found) == 2 * len(CASES[case].place.regions)
    for kind, statements in found:
        (statement,) = (stranger for stranger in _strangers(statements) if "Condition" in stranger)
        _check_places(kind, statement)
        assert set(as_list(statement["Action"])) == _READS[kind]
        if CASES[case].organization:
            _check_organization(statement, paths=CASES[case].landing_zone)
        else:
            _check_accounts(statement, CASES[case].accounts)


def test_nobody_else_is_named(case: str, templates_of: Callable[[str], list[Template]]) -> None:
    """The deploy role's own policy covers the buckets wherever they are, in its own account too."""
    for _, statements in _artifact_policies(templates_of(case)):
        assert [statement for statement in _strangers(statements) if "Condition" not in statement] == []


def _check_places(kind: str, statement: Statement) -> None:
    """Of CI/CD's artifacts, which hold the toolchain's templates, nothing."""
    if kind == "AWS::S3::BucketPolicy":
        places = {flat(place).partition(".Arn}")[2] for place in as_list(statement["Resource"])}
        assert places == {"", "/silo-*", "/pool-*"}


def _check_accounts(statement: Statement, accounts: Sequence[str]) -> None:
    principals = [flat(principal) for principal in as_list(statement["Principal"]["AWS"])]
    assert principals == [f"arn:${{AWS::Partition}}:iam::{account}:root" for account in sorted(accounts)]
    arns = [flat(arn) for arn in as_list(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])]
    role = "role/granary/cdk-granary-deploy-role"
    assert arns == [f"arn:${{AWS::Partition}}:iam::{account}:{role}-{account}-*" for account in accounts]
    assert set(statement["Condition"]) == {"ArnLike"}


def _check_organization(statement: Statement, *, paths: bool) -> None:
    assert statement["Principal"] == {"AWS": "*"}
    if paths:
        assert statement["Condition"]["ForAnyValue:StringLike"] == {"aws:PrincipalOrgPaths": list(PATHS)}
    else:
        assert statement["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": ORGANIZATION}
    assert statement["Condition"]["StringNotEquals"] == {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}
    arns = [flat(arn) for arn in as_list(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])]
    assert arns == ["arn:${AWS::Partition}:iam::*:role/granary/cdk-granary-deploy-role-*-*"]
