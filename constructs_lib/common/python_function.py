"""A Lambda function of ours: its own code and role, encrypted logs, structured logging, a dead-letter queue where it is asynchronous."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_ROOT = Path(__file__).parents[2]


class PythonFunction(Construct):
    """A function from `lambdas/<room>/<job>/handler.py`; standard library and boto3 only, so nothing is bundled."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        room: str,
        job: str,
        description: str,
        key: kms.IKey,
        environment: Mapping[str, str],
        timeout: cdk.Duration,
        memory_mb: int = 256,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lambdas.{room}.{job}.handler.handler",
            code=_code(room, job),
            role=self.role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            environment=dict(environment),
            environment_encryption=key,
            timeout=timeout,
            memory_size=memory_mb,
            dead_letter_queue=dead_letters,
        )


def _code(room: str, job: str) -> lambda_.Code:
    """The function's package and what all share, and nothing else: another function's change is no change of this one."""
    return lambda_.Code.from_asset(
        str(_ROOT),
        exclude=[
            "/*",
            "!/lambdas",
            "/lambdas/*",
            "!/lambdas/__init__.py",
            "!/lambdas/common",
            f"!/lambdas/{room}",
            f"/lambdas/{room}/*",
            f"!/lambdas/{room}/__init__.py",
            f"!/lambdas/{room}/{job}",
            "__pycache__",
        ],
        ignore_mode=cdk.IgnoreMode.GIT,
    )
