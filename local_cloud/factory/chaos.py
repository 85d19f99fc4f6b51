"""A factory that experiments with its canaries: its configuration, what is done, and what is seen of experiments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from lambdas.common.evidence.verdict import survivals_of
from lambdas.resilience.model.names import ROOM
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, Granary, Row, wait_until
from local_cloud.factory.workspace import OVERLAY
from local_cloud.factory.zone import ENDPOINT, RUNS

CANARY = Row(id="acme", type="silo", region=HOME, ring="canary")
LAST = Row(id="globex", type="silo", region=HOME, ring="general")
EXPERIMENT = "stop-a-task"
STARTED, ENDED = "Chaos Experiment Started", "Chaos Experiment Ended"
# Fewer than one healthy task.
ALARM = "{id}-is-down"
_ROOM: dict[str, Any] = {
    "experiments": [
        {
            "name": EXPERIMENT,
            "duration_minutes": 1,
            "faults": [
                {
                    "name": "stop",
                    "action": "aws:ecs:stop-task",
                    "selection": "COUNT(1)",
                    "target_parameters": {"cluster": "default", "service": "{type}-{id}"},
                }
            ],
        }
    ],
    "steady_states": [
        {
            "name": "answers",
            "probes": [{"name": "home", "url": ENDPOINT}, {"name": "healthy", "alarm": ALARM}],
        }
    ],
    "rings": [
        {
            "name": "canary",
            "experiment": EXPERIMENT,
            "steady_state": "answers",
            "settle_minutes": 1,
            "recover_minutes": 1,
        }
    ],
}
_RELEASES = {
    **OVERLAY["toolchain"]["releases"],
    "pipeline_timeout_minutes": 30,
    "rings": [{"name": "canary"}, {"name": "general"}],
}
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
CONFIGURATION: dict[str, dict[str, Any]] = {
    "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING, "releases": _RELEASES},
    "workloads": {**OVERLAY["workloads"], "component": RUNS},
    ROOM: _ROOM,
}
# Minutes of experiments and of alarms take seconds; a task takes so long to start that nobody misses it.
QUICK = {"fis": {"seconds_a_minute": 12}, "cloudwatch": {"seconds_a_minute": 3}, "ecs": {"start_seconds": 8}}
# A minute of FIS then, and the start of a task: nobody waits for the end of either.
_LONG, _NEVER = {"seconds_a_minute": 600}, {"start_seconds": 600}
_PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class ChaosFactory:
    """The factory, and the workload account in which faults are injected."""

    granary: Granary

    def client(self, service: str) -> Any:
        """A client in the tenants' account."""
        return self.granary.client(service, account=WORKLOAD)

    def push_nothing(self) -> str:
        """Commit that no template changes, and push what goes to every tenant all the same; the revision."""
        self.granary.workspace.renew_components("Nothing but a newer release")
        return self.granary.push("nothing but a newer release")

    def give_tasks(self, row: Row, count: int) -> None:
        """Let the service of a tenant have so many tasks, as a person does, and wait until they run."""
        ecs, name = self.client("ecs"), f"{row.type}-{row.id}"
        arn = f"arn:aws:ecs:{row.region}:{row.account}:service/default/{name}"
        scaling = {"minTaskCount": count, "maxTaskCount": count}
        ecs.update_express_gateway_service(serviceArn=arn, scalingTarget=scaling)

        def run() -> bool | None:
            (service,) = ecs.describe_services(cluster="default", services=[name])["services"]
            return True if service["runningCount"] == count else None

        wait_until(run, seconds=_PATIENCE, what=f"{count} tasks of {row.id}")

    def faults_last(self) -> AbstractContextManager[None]:
        """Until the block ends, an experiment lasts until somebody stops it; then what runs ends soon, too."""
        return self._set({"fis": _LONG})

    def tasks_are_missed(self) -> AbstractContextManager[None]:
        """Until the block ends, nothing comes in the place of a task that is stopped."""
        return self._set({"ecs": _NEVER})

    @contextmanager
    def _set(self, settings: Mapping[str, Any]) -> Iterator[None]:
        faults = self.granary.cloud.faults
        faults.set(settings)
        try:
            yield
        finally:
            faults.set({name: QUICK[name] for name in settings})

    def bring_alarm(self, row: Row) -> None:
        """Make the alarm of a tenant that stands."""
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=ALARM.format(id=row.id),
            Namespace="AWS/ApplicationELB",
            MetricName="HealthyHostCount",
            Dimensions=self._dimensions(row),
            Statistic="Minimum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="LessThanThreshold",
            TreatMissingData="ignore",
        )

    def _dimensions(self, row: Row) -> list[dict[str, str]]:
        """Those of the metrics of a tenant's target group."""
        services = [f"{row.type}-{row.id}"]
        (service,) = self.client("ecs").describe_services(cluster="default", services=services)["services"]
        group = {"Name": "TargetGroup", "Value": service["loadBalancers"][0]["targetGroupArn"].rpartition(":")[2]}

        def found() -> list[dict[str, str]] | None:
            metrics = self.client("cloudwatch").list_metrics(MetricName="HealthyHostCount")["Metrics"]
            return next((one["Dimensions"] for one in metrics if group in one["Dimensions"]), None)

        return wait_until(found, seconds=_PATIENCE, what=f"the metric of {row.id}")

    def experiments(self) -> list[dict[str, Any]]:
        """The experiments of the account, the newest first."""
        fis = self.client("fis")
        found = [fis.get_experiment(id=one["id"])["experiment"] for one in fis.list_experiments()["experiments"]]
        return sorted(found, key=lambda one: str(one["creationTime"]), reverse=True)

    def stopped_by_fis(self) -> int:
        """How many tasks FIS has stopped."""
        ecs = self.client("ecs")
        tasks = ecs.list_tasks(cluster="default", desiredStatus="STOPPED")["taskArns"]
        told = ecs.describe_tasks(cluster="default", tasks=tasks)["tasks"] if tasks else []
        return sum("AWS FIS" in one.get("stoppedReason", "") for one in told)

    def said(self, row: Row, *, before: int = 0, execution: str = "") -> tuple[str, str]:
        """Status and words of the action in this execution, or in a tenant's newest, or in one so many before that."""
        execution = execution or self.granary.executions(row.pipeline)[before]["pipelineExecutionId"]
        pages = self.granary.client("codepipeline").get_paginator("list_action_executions")
        (one,) = (
            action
            for page in pages.paginate(pipelineName=row.pipeline, filter={"pipelineExecutionId": execution})
            for action in page["actionExecutionDetails"]
            if action["actionName"] == "resilience-fis-trigger"
        )
        result = one["output"]["executionResult"]
        failed = result.get("errorDetails", {}).get("message", "")
        return one["status"], failed or result.get("externalExecutionSummary", "")

    def verdicts(self, revision: str, ring: str = "canary") -> list[dict[str, Any]]:
        """What is kept of a ring's tenants about a release, the oldest first."""
        s3, bucket = self.granary.client("s3"), NAMES.releases_bucket(TOOLCHAIN, HOME)
        found = s3.list_objects_v2(Bucket=bucket, Prefix=survivals_of(revision, ring)).get("Contents", ())
        told = [json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read())["predicate"] for one in found]
        return sorted(told, key=lambda one: str(one["judged_at"]))
