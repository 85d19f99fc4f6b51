"""A Lambda function of ours: own code and role, encrypted structured logs, dead letters where it is asynchronous."""

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

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy, acknowledge_key_use

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
        # For the tables, queues and buses that the function reaches: callers need the key, not only the service.
        key.grant_encrypt_decrypt(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
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
        self._acknowledge(asynchronous=dead_letters is not None)

    def _acknowledge(self, *, asynchronous: bool) -> None:
        acknowledge_inline_policy(self.role)
        acknowledge_key_use(self.role)
        acknowledge(
            self.function,
            "NIST.800.53.R5-LambdaInsideVPC",
            reason="Calls the APIs of AWS only, over TLS and as its own role; there is nothing in a VPC that it needs.",
        )
        acknowledge(
            self.function,
            "NIST.800.53.R5-LambdaConcurrency",
            reason="Shards and schedules bound it; a reservation would take from the quota of the whole account.",
        )
        if not asynchronous:
            acknowledge(
                self.function,
                "NIST.800.53.R5-LambdaDLQ",
                reason="Not asynchronous: what fails goes to its stream's failure destination, or to its caller.",
            )


def _code(room: str, job: str) -> lambda_.Code:
    """The function's package, what its room shares (the folders without a handler) and what all rooms share.

    A change of another function, or of another room, changes nothing here.
    """
    folders = sorted(path for path in (_ROOT / "lambdas" / room).iterdir() if (path / "__init__.py").exists())
    shared = [path.name for path in folders if not (path / "handler.py").exists()]
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
            *(f"!/lambdas/{room}/{name}" for name in (*shared, job)),
            "__pycache__",
        ],
        ignore_mode=cdk.IgnoreMode.GIT,
    )
