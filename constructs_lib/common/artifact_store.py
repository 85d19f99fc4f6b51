"""One Region's artifact bucket and key, shared by every pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.grants import allow
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.removal import KEPT
from constructs_lib.common.targets import WorkloadTargets
from lambdas.common.names import Names

# Artifacts matter while an execution runs or may be rolled back to.
ARTIFACT_DAYS = 30

_READ_OBJECTS = ["s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]
# What CodePipeline and CodeBuild ask for, but s3:PutObjectAcl: these buckets have no ACLs.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
_READ_BUCKET = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"]
_USE_KEY = [
    f"kms:{action}"
    for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
]


class ArtifactStore(Construct):
    """Bucket, key, access log and the parameter by which builds find the key's ARN.

    Workload accounts read the artifacts whose keys begin with one of `prefixes`, and no others; a room's role reads
    those of its room. Where CI/CD deploys rooms, `for_rooms` is the toolchain's bootstrap qualifier.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        targets: WorkloadTargets,
        prefixes: Sequence[str],
        for_rooms: str = "",
    ) -> None:
        super().__init__(scope, construct_id)
        if names.cicd_artifacts_prefix.startswith(tuple(prefixes)):
            raise ValueError(
                f"toolchain.prefix: {names.prefix} begins like the pipelines ({', '.join(prefixes)}) whose artifacts "
                "are kept apart from CI/CD's by their names; use another prefix"
            )
        stack = cdk.Stack.of(self)
        self.key = kms.Key(
            self,
            "Key",
            alias=names.artifacts_alias,
            description="Pipeline artifacts",
            enable_key_rotation=True,
            removal_policy=KEPT,
        )
        self.access_logs = PrivateBucket.access_logs(
            self,
            "AccessLogs",
            name=names.access_logs_bucket(stack.account, stack.region),
            sources=f"{names.prefix}-",
        )
        self.bucket = PrivateBucket(
            self,
            "Bucket",
            name=names.artifacts_bucket(stack.account, stack.region),
            key=self.key,
            access_logs=self.access_logs,
            noncurrent_days=1,
            expire_days=ARTIFACT_DAYS,
        ).bucket
        self._admit_deploy_roles(targets, prefixes)
        self._admit_rooms(names, targets)
        if for_rooms:
            self._admit_own_deploy_role(names, for_rooms)
        self.parameter = ssm.StringParameter(
            self, "KeyArn", parameter_name=names.artifacts_key_parameter, string_value=self.key.key_arn
        )

    def _admit_deploy_roles(self, targets: WorkloadTargets, prefixes: Sequence[str]) -> None:
        places = [self.bucket.bucket_arn, *_objects(self.bucket.bucket_arn, prefixes)]
        self.key.add_to_resource_policy(
            targets.artifact_reader(actions=["kms:Decrypt", "kms:DescribeKey"], resources=["*"])
        )
        self.bucket.add_to_resource_policy(targets.artifact_reader(actions=_READ_OBJECTS, resources=places))

    def _admit_rooms(self, names: Names, targets: WorkloadTargets) -> None:
        """Each room's deploy role reads the artifacts of its own room's pipelines, and no others."""
        arns = {room: targets.deploy_role_arn(names, room) for room in targets.rooms}
        for room, arn in arns.items():
            (objects,) = _objects(self.bucket.bucket_arn, [names.room_artifacts_prefix(room)])
            self.bucket.add_to_resource_policy(
                targets.artifact_reader(
                    actions=["s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion"],
                    resources=[self.bucket.bucket_arn, objects],
                    roles=[arn],
                )
            )
        if arns:
            self.key.add_to_resource_policy(
                targets.artifact_reader(
                    actions=["kms:Decrypt", "kms:DescribeKey"], resources=["*"], roles=list(arns.values())
                )
            )

    def _admit_own_deploy_role(self, names: Names, qualifier: str) -> None:
        """Let CloudFormation read what CI/CD deploys here, as this account's own deploy role of this Region.

        The bootstrap role's policy covers the buckets of other accounts only. "Any principal" whose ARN is the role's
        is the role itself; naming the account would hand the decision back to that policy, and naming the role would
        tie the policy to its present unique id.
        """
        stack = cdk.Stack.of(self)
        role = f"arn:{Aws.PARTITION}:iam::{stack.account}:role/cdk-{qualifier}-deploy-role-{stack.account}"
        who = {
            "ArnEquals": {"aws:PrincipalArn": f"{role}-{stack.region}"},
            "StringEquals": {"aws:PrincipalAccount": stack.account},
        }
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[self.bucket.arn_for_objects(f"{names.cicd_artifacts_prefix}*")],
                conditions=who,
            )
        )

    def admit_role(self, name: str) -> None:
        """Let a role of this account use the key, which may be younger than its alias counts in the role's policy.

        An alias takes up to five minutes: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
        "Any principal" whose ARN is the role's, for the role may be made after the key.
        """
        account = cdk.Stack.of(self).account
        who = {
            "ArnEquals": {"aws:PrincipalArn": f"arn:{Aws.PARTITION}:iam::{account}:role/{name}"},
            "StringEquals": {"aws:PrincipalAccount": account},
        }
        self.key.add_to_resource_policy(
            iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=_USE_KEY, resources=["*"], conditions=who)
        )

    def read_write(self, *prefixes: str) -> list[iam.PolicyStatement]:
        """Statements for a role of this account that reads and writes the artifacts whose keys begin so."""
        return artifact_statements(bucket_arn=self.bucket.bucket_arn, key_arn=self.key.key_arn, prefixes=prefixes)


def artifact_statements(
    *, bucket_arn: str, key_arn: str, prefixes: Sequence[str], writes: bool = True
) -> list[iam.PolicyStatement]:
    """Statements for reading, and writing unless it is said otherwise, artifacts in a bucket, encrypted with a key."""
    read = ["s3:GetObject", "s3:GetObjectVersion"]
    return [
        allow(["s3:AbortMultipartUpload", *read, "s3:PutObject"] if writes else read, *_objects(bucket_arn, prefixes)),
        allow(_READ_BUCKET, bucket_arn),
        allow(_USE_KEY if writes else ["kms:Decrypt", "kms:DescribeKey"], key_arn),
    ]


def artifact_reads(bucket: s3.IBucket, *prefixes: str) -> list[iam.PolicyStatement]:
    """Statements for a role that reads the artifacts whose keys begin with one of `prefixes`."""
    assert bucket.encryption_key  # noqa: S101 - an artifact store's bucket has one
    return artifact_statements(
        bucket_arn=bucket.bucket_arn, key_arn=bucket.encryption_key.key_arn, prefixes=prefixes, writes=False
    )


def store_abroad(scope: Construct, *, names: Names, account: str, region: str) -> s3.IBucket:
    """Another Region's artifact bucket for a pipeline of this account; its key is known by its alias."""
    alias = f"arn:{Aws.PARTITION}:kms:{region}:{account}:{names.artifacts_alias}"
    return s3.Bucket.from_bucket_attributes(
        scope,
        f"Artifacts-{region}",
        bucket_name=names.artifacts_bucket(account, region),
        encryption_key=kms.Key.from_key_arn(scope, f"ArtifactKey-{region}", alias),
        region=region,
    )


def artifacts_abroad(
    names: Names, account: str, region: str, *prefixes: str, writes: bool = True
) -> list[iam.PolicyStatement]:
    """Statements for a role that reads and writes artifacts in another Region."""
    statements = artifact_statements(
        bucket_arn=f"arn:{Aws.PARTITION}:s3:::{names.artifacts_bucket(account, region)}",
        key_arn=f"arn:{Aws.PARTITION}:kms:{region}:{account}:key/*",
        prefixes=prefixes,
        writes=writes,
    )
    # The key's id is not known in this Region; its alias is.
    statements[-1].add_condition("ForAnyValue:StringEquals", {"kms:ResourceAliases": names.artifacts_alias})
    return statements


def _objects(bucket_arn: str, prefixes: Sequence[str]) -> list[str]:
    """ARNs of artifacts. A key begins with the pipeline's name: what may write any could write CI/CD's own."""
    return [f"{bucket_arn}/{prefix}*" for prefix in prefixes]
