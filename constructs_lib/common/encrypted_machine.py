"""State machines whose data is encrypted with a key of ours: it holds tokens that answer for pipelines and people.

https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
"""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn

_REUSE_SECONDS = 300


def encrypted_with(key: kms.IKey) -> sfn.CfnStateMachine.EncryptionConfigurationProperty:
    """The encryption of a state machine."""
    return sfn.CfnStateMachine.EncryptionConfigurationProperty(
        type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key.key_arn, kms_data_key_reuse_period_seconds=_REUSE_SECONDS
    )


def use_of_key(key: kms.IKey, *, machine_arn: str) -> iam.PolicyStatement:
    """What the role of such a machine needs."""
    return iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": machine_arn}},
    )


def log_delivery() -> iam.PolicyStatement:
    """Statement of the key's policy: CloudWatch Logs reads what such machines of this account and Region log.

    The library's own statement (`CustomerManagedEncryptionConfiguration`) has no condition.
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
        actions=["kms:Decrypt"],
        resources=["*"],
        conditions={
            "StringLike": {
                "kms:EncryptionContext:SourceArn": f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
            }
        },
    )
