"""A Lambda function of ours: own code, settings and role, encrypted structured logs, an alarm on its errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy, acknowledge_key_use
from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import log_group
from lambdas.common.names import Names
from lambdas.common.settings import DOCUMENTS

_PERIOD = cdk.Duration.minutes(5)
_ROOT = Path(__file__).parents[2]
# What Lambda runs, and what Glue does.
_RUN = ("handler.py", "job.py")


class PythonFunction(Construct):
    """A function from `lambdas/<room>/<job>/handler.py`; standard library and boto3 only, so nothing is bundled.

    `environment` and `documents` are what the handler's `Settings` ask for. A document is a file of the package: it may
    be of any size, and changes together with the code. A function that is invoked asynchronously has `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        room: str,
        job: str,
        description: str,
        key: kms.IKey,
        alarm_actions: Sequence[cloudwatch.IAlarmAction],
        environment: Mapping[str, str],
        documents: Mapping[str, str] | None = None,
        memory_mb: int = 256,
        minutes: int = 5,
        dead_letters: sqs.IQueue | None = None,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        name = names.room_function(room, job)
        self.log_group = log_group(self, "Logs", name=f"/aws/lambda/{name}", key=key)
        service = iam.ServicePrincipal("lambda.amazonaws.com")
        self.role = iam.Role(self, "Role", role_name=role_name, assumed_by=service)
        self.log_group.grant_write(self.role)
        # For the tables, queues and buses that the function reaches: callers need the key, not only the service.
        key.grant_encrypt_decrypt(self.role)
        with _package(room, job, documents or {}) as code:
            self.function = lambda_.Function(
                self,
                "Function",
                function_name=name,
                description=description,
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                handler=f"lambdas.{room}.{job}.handler.handler",
                code=code,
                role=self.role,
                log_group=self.log_group,
                logging_format=lambda_.LoggingFormat.JSON,
                application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
                system_log_level_v2=lambda_.SystemLogLevel.WARN,
                environment=dict(environment),
                environment_encryption=key,
                timeout=cdk.Duration.minutes(minutes),
                memory_size=memory_mb,
                dead_letter_queue=dead_letters,
            )
        self.errors = self.function.metric_errors(period=_PERIOD, statistic="Sum")
        self.alarm = alarm_above(self, "Errors", self.errors, limit=0, actions=alarm_actions)
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


@contextmanager
def _package(room: str, job: str, documents: Mapping[str, str]) -> Iterator[lambda_.Code]:
    """The function's package, what its room shares (the folders that nothing runs), what all rooms share; documents.

    A change of another function, or of another room, changes nothing here. The code has been copied when a function
    is made of it.
    """
    folders = sorted(path for path in (_ROOT / "lambdas" / room).iterdir() if (path / "__init__.py").exists())
    shared = [path.name for path in folders if not any((path / one).exists() for one in _RUN)]
    with TemporaryDirectory() as folder:
        (Path(folder) / "lambdas").symlink_to(_ROOT / "lambdas")
        (Path(folder) / DOCUMENTS).mkdir()
        for name, text in documents.items():
            (Path(folder) / DOCUMENTS / f"{name}.json").write_text(text, encoding="utf-8")
        yield lambda_.Code.from_asset(
            folder,
            exclude=[
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
            follow_symlinks=cdk.SymlinkFollowMode.ALWAYS,
        )
