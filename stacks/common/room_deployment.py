"""The pair of roles with which a room's pipelines deploy stacks into workload accounts."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from constructs_lib.common.grants import allow
from constructs_lib.common.stack_deployment import deploys
from constructs_lib.common.workload_role import WorkloadRole, in_account
from lambdas.common.names import WORKLOAD_ROLE_PATH
from stacks.common.execution_policy import bounded
from stacks.foundation import Foundation

_POLICIES = Path(__file__).parents[2] / "config" / "policies"


def deployment_roles(foundation: Foundation, room: str) -> tuple[WorkloadRole, ...]:
    """The roles that the room's pipeline deploys `<prefix>-<room>-*` and publishes with, and CloudFormation's."""
    names, qualifier = foundation.names, foundation.targets.qualifier
    execution = names.room_role(room, "execution")
    version = in_account("ssm", f"parameter/cdk-bootstrap/{qualifier}/version")
    assets = f"arn:{Aws.PARTITION}:s3:::cdk-{qualifier}-assets-{Aws.ACCOUNT_ID}-*"
    return (
        WorkloadRole(
            purpose=f"{room.title()}Deploy",
            name=names.room_role(room, "deploy"),
            description=f"Deploys stacks of the room {room}",
            # Before assets are published, the CLI looks at the bootstrap stack as the role that would deploy.
            roles=[names.room_role(room, "pipeline"), names.room_role(room, "assets")],
            statements=[
                allow(["cloudformation:DescribeStacks"], in_account("cloudformation", "stack/CDKToolkit*/*")),
                *deploys(
                    [in_account("cloudformation", f"stack/{names.prefix}-{room}-*/*")],
                    execution=in_account("iam", f"role{WORKLOAD_ROLE_PATH}{execution}", region=""),
                ),
                *_reads_artifacts(foundation, room),
                allow(["ssm:GetParameter", "ssm:GetParameters"], version),
            ],
            reason="Stacks come and go without a deployment of this one: names bound what is reached.",
        ),
        WorkloadRole(
            purpose=f"{room.title()}Publish",
            name=names.room_role(room, "publish"),
            description=f"Publishes the assets of the room {room}",
            roles=[names.room_role(room, "assets")],
            statements=[
                # What the CDK CLI finds under a template's key, it deploys as whoever runs it: nothing but the folder.
                allow(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], f"{assets}/{room}/*"),
                allow(["s3:GetBucketLocation", "s3:GetEncryptionConfiguration", "s3:ListBucket"], assets),
                allow(["ssm:GetParameter"], version),
            ],
            reason="Assets come and go without a deployment of this stack: the folder bounds what is written.",
        ),
        WorkloadRole(
            purpose=f"{room.title()}Execution",
            name=execution,
            description=f"What CloudFormation may do for the room {room}",
            service="cloudformation.amazonaws.com",
            statements=_from_file(f"{room}-execution", room, foundation),
            # What only CloudFormation does, and no role that it makes.
            besides=_from_file(f"{room}-infrastructure", room, foundation),
            is_boundary=True,
            reason="Resources come and go without a deployment of this stack: names and tags bound what is reached.",
        ),
    )


def _reads_artifacts(foundation: Foundation, room: str) -> list[iam.PolicyStatement]:
    """The room's artifacts and no others; the toolchain's buckets and keys must admit the role as well."""
    names, account, regions = foundation.names, foundation.account, foundation.store_regions
    buckets = [f"arn:{Aws.PARTITION}:s3:::{names.artifacts_bucket(account, region)}" for region in regions]
    keys = [f"arn:{Aws.PARTITION}:kms:{region}:{account}:key/*" for region in regions]
    decrypt = allow(["kms:Decrypt", "kms:DescribeKey"], *keys)
    # China's services have a suffix of their own there, or none: AWS's pages have both.
    through_s3 = [f"s3.{region}.{suffix}" for region in regions for suffix in (Aws.URL_SUFFIX, "amazonaws.com")]
    decrypt.add_condition("StringEquals", {"kms:ViaService": through_s3})
    prefix = names.room_artifacts_prefix(room)
    return [
        allow(["s3:GetObject", "s3:GetObjectVersion"], *(f"{bucket}/{prefix}*" for bucket in buckets)),
        allow(["s3:GetBucketLocation"], *buckets),
        decrypt,
    ]


def _from_file(name: str, room: str, foundation: Foundation) -> list[iam.PolicyStatement]:
    """The statements of a file in `config/policies`; none when a room has no such file."""
    path, names = _POLICIES / f"{name}.json", foundation.names
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    values = {
        "Prefix": names.prefix,
        # Athena knows no hyphens in the names of databases.
        "Catalog": names.catalog_prefix(room),
        "Qualifier": foundation.targets.qualifier,
    }
    for key, value in values.items():
        text = text.replace(f"${{{key}}}", value)
    statements = json.loads(text)["Statement"]
    if foundation.workload_boundary:
        # A role has one boundary: where accounts have their own for all roles, the room's is none any more.
        statements = bounded(statements, foundation.workload_boundary)
    return [iam.PolicyStatement.from_json(statement) for statement in statements]
