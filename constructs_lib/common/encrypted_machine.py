"""State machines whose data is encrypted with a key of ours: it holds tokens that answer for pipelines and people.

https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
"""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.service_role import service_of_this_account

_REUSE_SECONDS = 300
# What log deliveries are encrypted for.
_LOGS = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"


def machine_arn(name: str) -> str:
    """ARN of a state machine, for those who know it by name: they need not be built after it."""
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{name}"


def machine_arns(name: str) -> list[str]:
    """ARNs of a state machine and, in case it has map runs, of what their children are executions of.

    AWS does not document under which of them it looks for a child's token, or encrypts a child's data.
    """
    return [machine_arn(name), f"{machine_arn(name)}/*"]


def encrypted_with(key: kms.IKey) -> sfn.CfnStateMachine.EncryptionConfigurationProperty:
    """The encryption of a state machine."""
    return sfn.CfnStateMachine.EncryptionConfigurationProperty(
        type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key.key_arn, kms_data_key_reuse_period_seconds=_REUSE_SECONDS
    )


def encrypt(machine: sfn.StateMachine, key: kms.IKey) -> None:
    """Encrypt a machine of the library, whose own way to say so makes statements without conditions."""
    cfn = machine.node.default_child
    assert isinstance(cfn, sfn.CfnStateMachine)  # noqa: S101 - what an L2 StateMachine always holds
    cfn.encryption_configuration = encrypted_with(key)


def machine_logs(scope: Construct, *, machine: str, key: kms.IKey) -> logs.LogGroup:
    """Make the log group of a state machine."""
    # Names of this beginning are covered by one resource policy, whose size is limited.
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    return log_group(scope, "Logs", name=f"/aws/vendedlogs/states/{machine}", key=key)


def machine_role(scope: Construct, *, machine: str, key: kms.IKey, map_runs: bool = False) -> iam.Role:
    """Make the role of a state machine; children of map runs act with the machine's role, under ARNs of their own."""
    arn = machine_arn(machine)
    source = f"{arn}*" if map_runs else arn
    role = iam.Role(scope, "Role", assumed_by=service_of_this_account(scope, "states.amazonaws.com", source_arn=source))
    for statement in _use_of_key(machine, key):
        role.add_to_policy(statement)
    acknowledge_inline_policy(role)
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        reason="Deliveries of logs and segments of traces have no resource.",
    )
    return role


def _use_of_key(machine: str, key: kms.IKey) -> list[iam.PolicyStatement]:
    """What the role of an encrypted machine needs of the key: for its data, and for the log that it delivers."""
    return [
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key.key_arn],
            conditions={"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": machine_arns(machine)}},
        ),
        # The `*` is the value itself: log deliveries are encrypted for all logs of the account and Region.
        iam.PolicyStatement(
            actions=["kms:GenerateDataKey"],
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:EncryptionContext:SourceArn": _LOGS}},
        ),
    ]


def deliveries() -> iam.PolicyStatement:
    """What the role of a logged and traced machine needs; a `StateMachine` of the library grants it by itself."""
    return iam.PolicyStatement(
        actions=[
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
        resources=["*"],
    )


def log_delivery() -> iam.PolicyStatement:
    """Statement of the key's policy: CloudWatch Logs reads what such machines of this account and Region log.

    The library's own statement (`CustomerManagedEncryptionConfiguration`) has no condition.
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
        actions=["kms:Decrypt"],
        resources=["*"],
        conditions={"StringLike": {"kms:EncryptionContext:SourceArn": _LOGS}},
    )
