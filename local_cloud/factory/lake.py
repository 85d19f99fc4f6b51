"""A data lake on the factory: switched on by a commit, deployed by its own pipelines, used by putting files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import quote_plus

import yaml

from lambdas.common import clock
from lambdas.lake.model.names import GovernanceNames, LakeNames, Zone
from lambdas.lake.model.objects import AuditRow, ObjectVersion, Phase
from lambdas.lake.store.audit_table import AuditTable
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, Granary, wait_until
from local_cloud.factory.workspace import OVERLAY

ENVIRONMENT = "dev"
LAKE = LakeNames(prefix=NAMES.prefix, environment=ENVIRONMENT)
SOURCE_KEY = "lake-dev.zip"
PIPELINES = tuple(LAKE.part(part) for part in ("infrastructure", "etl"))
PREFIX = "nyc_tlc/green_trips/"
PERMISSIONS = "lake-permissions"
GOVERNANCE = GovernanceNames(prefix=NAMES.prefix)
_EXAMPLE = PROJECT_ROOT / f"config/examples/all/{PERMISSIONS}.yaml"
_ADMINISTRATION = PROJECT_ROOT / "docs/workload-roles.md"
_MACHINE = f"arn:aws:states:{HOME}:{TOOLCHAIN}:stateMachine:{GOVERNANCE.governance}"
# What a person would write into config/lake.yaml.
SECTION: Mapping[str, Any] = {
    "environments": [
        {
            "name": ENVIRONMENT,
            "account": WORKLOAD,
            "region": HOME,
            "object_key": SOURCE_KEY,
            "cidr": "10.20.0.0/24",
            "azs": 2,
            "crawlers": [{"name": "fleet"}],
        }
    ],
    "datasets": ["green_trips"],
}
# No tenants: the sweep has nothing to do.
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
CONFIGURATION = {**OVERLAY, "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING}}
_PATIENCE = 600.0
_SETTLED = (Phase.SUCCEEDED, Phase.FAILED, Phase.REFUSED)


@dataclass(frozen=True, kw_only=True)
class Lake:
    """A lake, as those see it who put files into it, and who look at what came of them."""

    granary: Granary

    @classmethod
    def build(cls, cloud: LocalCloud) -> Self:
        """A factory with a lake that is switched on, and not pushed yet."""
        return cls.switch_on(Granary.build(cloud, overlay=CONFIGURATION))

    @classmethod
    def switch_on(cls, granary: Granary) -> Self:
        """A commit that switches a lake on, and what the lake account's administrator deploys then."""
        shutil.copytree(PROJECT_ROOT / "config/examples/all/datasets", granary.workspace.root / "config/datasets")
        granary.workspace.configure("lake", SECTION)
        granary.workspace.configure(PERMISSIONS, permissions())
        granary.workspace.commit("A lake")
        for stack in (NAMES.workload_roles_stack(WORKLOAD), LAKE.part("keys")):
            granary.administer(stack)
        lake = cls(granary=granary)
        lake.administer("put-data-lake-settings")
        return lake

    def administer(self, words: str) -> None:
        """Type what the page tells the lake account's administrator: the one block of commands with these words."""
        blocks = re.findall(
            r"^```sh\n(.*?)^```$", _ADMINISTRATION.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        (block,) = (one for one in blocks if words in one)
        with TemporaryDirectory() as folder:
            subprocess.run(
                ["bash", "-euo", "pipefail", "-c", re.sub(r"\bLAKE\b", WORKLOAD, block)],
                cwd=folder,
                env=self.granary.cloud.env(WORKLOAD, HOME),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
            )

    def push(self, summary: str) -> str:
        """Push the commit: to the factory, and to the branch of the environment; answers the factory's version."""
        self.push_here()
        return self.granary.push(summary)

    def push_here(self) -> str:
        """Push the commit to the branch of the environment alone; answers its version."""
        answer = self.granary.client("s3").put_object(
            Bucket=NAMES.source_bucket(TOOLCHAIN, HOME), Key=SOURCE_KEY, Body=self.granary.workspace.archive()
        )
        return str(answer["VersionId"])

    def deployed(self) -> bool | None:
        """Whether both pipelines have deployed, the second after the first; a failed one is told by its reason.

        Raises:
            AssertionError: a pipeline has failed.
        """
        for pipeline in PIPELINES:
            newest = self.granary.executions(pipeline)[:1]
            if newest and newest[0]["status"] == "Failed" and self._began_well(pipeline):
                raise AssertionError(f"{pipeline} has failed: {self._why(pipeline)}")
            if not newest or newest[0]["status"] != "Succeeded":
                return None
        return True

    def _began_well(self, pipeline: str) -> bool:
        """Whether its failure is one of its own: the first execution of all begins before the other pipeline's end."""
        return pipeline == PIPELINES[0] or len(self.granary.executions(pipeline)) > 1

    def _why(self, pipeline: str) -> str:
        pages = self.granary.client("codepipeline").list_action_executions(pipelineName=pipeline)
        failed = [one for one in pages["actionExecutionDetails"] if one["status"] == "Failed"]
        return json.dumps([one["output"].get("executionResult") for one in failed], default=str)

    def client(self, service: str) -> Any:
        """A client in the lake's account."""
        return self.granary.client(service, account=WORKLOAD)

    def runs_of_governance(self) -> list[dict[str, Any]]:
        """Executions of the machine that governs, the one that was started last first.

        They are listed by their ends: one that was started before, and ends after, would come first.
        """
        found = self.granary.client("stepfunctions").list_executions(stateMachineArn=_MACHINE)["executions"]
        return sorted(found, key=lambda one: one["startDate"], reverse=True)

    def govern(self, **more: str) -> None:
        """Start a run of governance, as its rules do."""
        given = json.dumps({"account": WORKLOAD, "region": HOME, **more})
        self.granary.client("stepfunctions").start_execution(stateMachineArn=_MACHINE, input=given)

    def governed(self) -> str:
        """Where the run of governance ended that was started last, once it has: the name of its last state."""
        client = self.granary.client("stepfunctions")
        arn = self.runs_of_governance()[0]["executionArn"]
        self.ended(arn)
        events = client.get_execution_history(executionArn=arn, reverseOrder=True)["events"]
        return str(next(one["stateEnteredEventDetails"]["name"] for one in events if "stateEnteredEventDetails" in one))

    def ended(self, arn: str) -> str:
        """The status of a run of governance, once it has ended."""
        client = self.granary.client("stepfunctions")

        def status() -> str | None:
            found = str(client.describe_execution(executionArn=arn)["status"])
            return found if found != "RUNNING" else None

        return wait_until(status, seconds=_PATIENCE, what="a run of governance to end")

    @property
    def audit(self) -> AuditTable:
        """The audit table."""
        return AuditTable(client=self.client("dynamodb"), table=LAKE.audit_table, clock=clock.now)

    def put(self, key: str, body: bytes) -> ObjectVersion:
        """Put a file into the raw zone, as a producer does."""
        bucket = LAKE.bucket(Zone.RAW, WORKLOAD, HOME)
        version = self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
        return ObjectVersion(bucket=bucket, key=key, version=version)

    def deliver_again(self, row: AuditRow) -> None:
        """Have an object's event come twice more in one message, years later, and wait until it is taken in."""
        thing = {"key": quote_plus(row.key, safe="/"), "versionId": row.version, "size": 1}
        record = {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2030-01-01T00:00:00.000Z",
            "s3": {"bucket": {"name": row.bucket}, "object": thing},
        }
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=LAKE.arrivals_queue)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record, record]}))

        def taken() -> bool | None:
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return all(told[f"ApproximateNumberOfMessages{kind}"] == "0" for kind in ("", "NotVisible")) or None

        wait_for(taken, "the duplicate to be taken in")

    def settled(self, *objects: ObjectVersion) -> list[AuditRow]:
        """The audit rows of objects, when their runs have ended."""

        def rows() -> list[AuditRow] | None:
            found = [self.audit.row(one.id) for one in objects]
            return [one for one in found if one] if all(one and one.phase in _SETTLED for one in found) else None

        return wait_until(rows, seconds=_PATIENCE, what=f"the runs of {[one.key for one in objects]} to end")

    def partitions(self, zone: Zone, table: str) -> Iterator[dict[str, Any]]:
        """The partitions of a table; none when there is no such table."""
        glue = self.client("glue")
        try:
            pages = list(
                glue.get_paginator("get_partitions").paginate(DatabaseName=LAKE.database(zone), TableName=table)
            )
        except glue.exceptions.EntityNotFoundException:
            return
        for page in pages:
            yield from page["Partitions"]


def permissions() -> dict[str, Any]:
    """The example's permissions, as far as they are about the one environment that there is."""
    found: dict[str, Any] = yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))
    for principals in (found["ignored"], *(one["principals"] for one in found["personas"])):
        principals[WORKLOAD] = [one for one in principals[WORKLOAD] if "-prod-" not in one]
    return found


def wait_for(found: Callable[[], Any], what: str) -> Any:
    """Wait with the patience that a lake needs."""
    return wait_until(found, seconds=_PATIENCE, what=what)
