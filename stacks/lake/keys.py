"""The keys of an environment of the lake: a key a zone. The account's administrator deploys them.

The room makes none: a key has no name that could bound whose it is (decision 22).
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.removal import KEPT
from lambdas.common.names import ROOM_TAG
from lambdas.lake.model.names import ROOM, LakeNames, Zone

# Who encrypts for the account without a role: notifications of buckets, alarms, log groups.
_SERVICES = ("s3", "cloudwatch")


class LakeKeysStack(cdk.Stack):
    """`<prefix>-lake-<environment>-keys`."""

    def __init__(self, scope: Construct, *, names: LakeNames, env: cdk.Environment, qualifier: str) -> None:
        name = names.part("keys")
        synthesizer = cdk.CliCredentialsStackSynthesizer(qualifier=qualifier)
        super().__init__(scope, name, stack_name=name, env=env, synthesizer=synthesizer)
        cdk.Tags.of(self).add(ROOM_TAG, f"{names.prefix}/{ROOM}")
        for zone in Zone:
            key = kms.Key(
                self,
                zone.value.title(),
                alias=names.part(zone.value),
                description=f"Zone {zone.value} of the lake {names.environment}",
                enable_key_rotation=True,
                removal_policy=KEPT,
            )
            if zone is Zone.DATA:
                self._admit_services(key)
            ssm.StringParameter(
                self,
                f"{zone.value.title()}Arn",
                parameter_name=names.key_parameter(zone),
                string_value=key.key_arn,
            )

    def _admit_services(self, key: kms.Key) -> None:
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"{one}.amazonaws.com") for one in _SERVICES],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        # To an encrypted topic, EventBridge says nothing of whose event it is: conditions would never hold.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
            )
        )
        logs = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
            )
        )
