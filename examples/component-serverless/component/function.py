"""A function of the component: its role, its log, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant

_HERE = Path(__file__).parent
_REASONS = {
    "NIST.800.53.R5-LambdaInsideVPC": "Calls AWS only, over TLS and as its own role: no VPC has it.",
    "NIST.800.53.R5-LambdaConcurrency": "The API's throttle bounds it, and a reservation takes from the account.",
    "NIST.800.53.R5-LambdaDLQ": "Never invoked asynchronously: errors go to whoever has called.",
}


def add_function(
    stack: cdk.Stack,
    construct_id: str,
    *,
    name: str,
    memory: int,
    environment: Mapping[str, str],
    may: list[iam.PolicyStatement],
    key: kms.Key,
) -> lambda_.Function:
    """The function in the folder `construct_id`, in lower case; `memory` is in MiB."""
    role = iam.Role(stack, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    logs = log_group(stack, f"{construct_id}Logs", name=f"/aws/lambda/{name}", key=key)
    grant(
        role,
        *may,
        allow(["kms:Decrypt"], key.key_arn),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs.log_group_arn),
        reason="The streams of its own log group, and the secret that the tenant's row names.",
    )
    acknowledge_inline_policy(role)
    function = lambda_.Function(
        stack,
        construct_id,
        function_name=name,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        handler="index.handler",
        code=lambda_.Code.from_asset(str(_HERE / construct_id.lower()), exclude=["__pycache__"]),
        role=role,
        log_group=logs,
        memory_size=memory,
        timeout=cdk.Duration.seconds(30),
        environment=dict(environment),
        environment_encryption=key,
    )
    for rule, reason in _REASONS.items():
        acknowledge(function, rule, reason=reason)
    return function
