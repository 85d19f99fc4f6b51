"""One Region's artifact bucket and key, shared by every pipeline."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.grants import allow
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.targets import WorkloadTargets
from lambdas.common.names import Names

# Artifacts matter while an execution runs or may be rolled back to.
ARTIFACT_DAYS = 30

_READ_OBJECTS = ["s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]
_USE_KEY = ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")


class ArtifactStore(Construct):
    """Bucket, key, access log and the parameter by which builds find the key's ARN."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: Names, targets: WorkloadTargets, for_rooms: bool = False
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.key = kms.Key(
            self,
            "Key",
            alias=names.artifacts_alias,
            description="Pipeline artifacts",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
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
        self._admit_deploy_roles(targets)
        if for_rooms:
            self._admit_own_deploy_role(names, targets)
        self.parameter = ssm.StringParameter(
            self, "KeyArn", parameter_name=names.artifacts_key_parameter, string_value=self.key.key_arn
        )

    def _admit_deploy_roles(self, targets: WorkloadTargets) -> None:
        places = [self.bucket.bucket_arn, self.bucket.arn_for_objects("*")]
        self.key.add_to_resource_policy(
            targets.artifact_reader(actions=["kms:Decrypt", "kms:DescribeKey"], resources=["*"])
        )
        self.bucket.add_to_resource_policy(targets.artifact_reader(actions=_READ_OBJECTS, resources=places))
        if own := targets.deploy_role_arns(cdk.Stack.of(self).account):
            # The deploy role's own policy covers the buckets of other accounts only; within an account, naming the
            # account as principal hands the decision to that policy.
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ArnPrincipal(arn) for arn in own],
                    actions=_READ_OBJECTS,
                    resources=places,
                )
            )

    def _admit_own_deploy_role(self, names: Names, targets: WorkloadTargets) -> None:
        """Let CloudFormation read what CI/CD deploys here, as this account's own deploy role of this Region.

        The bootstrap role's policy covers the buckets of other accounts only. "Any principal" whose ARN is the role's
        is the role itself; naming the account would hand the decision back to that policy, and naming the role would
        tie the policy to its present unique id.
        """
        stack = cdk.Stack.of(self)
        role = f"arn:{Aws.PARTITION}:iam::{stack.account}:role/cdk-{targets.qualifier}-deploy-role-{stack.account}"
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

    def read_write(self) -> list[iam.PolicyStatement]:
        """Statements for a role of this account that reads and writes artifacts."""
        return artifact_statements(bucket_arn=self.bucket.bucket_arn, key_arn=self.key.key_arn)


def artifact_statements(*, bucket_arn: str, key_arn: str) -> list[iam.PolicyStatement]:
    """Statements for reading and writing artifacts in a bucket, encrypted with a key."""
    return [
        allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], f"{bucket_arn}/*"),
        allow(["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"], bucket_arn),
        allow([f"kms:{action}" for action in _USE_KEY], key_arn),
    ]


def artifact_reads(bucket: s3.IBucket, *, prefix: str) -> list[iam.PolicyStatement]:
    """Statements for a role that reads the artifacts of one pipeline, whose keys begin with `prefix`."""
    assert bucket.encryption_key  # noqa: S101 - an artifact store's bucket has one
    return [
        allow(["s3:GetObject", "s3:GetObjectVersion"], bucket.arn_for_objects(f"{prefix}*")),
        allow(["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"], bucket.bucket_arn),
        allow(["kms:Decrypt", "kms:DescribeKey"], bucket.encryption_key.key_arn),
    ]


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


def artifacts_abroad(names: Names, account: str, region: str) -> list[iam.PolicyStatement]:
    """Statements for a role that reads and writes artifacts in another Region."""
    statements = artifact_statements(
        bucket_arn=f"arn:{Aws.PARTITION}:s3:::{names.artifacts_bucket(account, region)}",
        key_arn=f"arn:{Aws.PARTITION}:kms:{region}:{account}:key/*",
    )
    # The key's id is not known in this Region; its alias is.
    statements[-1].add_condition("ForAnyValue:StringEquals", {"kms:ResourceAliases": names.artifacts_alias})
    return statements
