"""A factory whose canaries are experimented with: what it is configured with, and what can be seen of experiments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lambdas.common.evidence.verdict import survivals_of
from lambdas.resilience.model.names import ROOM, ResilienceNames
from lambdas.saas.model.runs import Run, RunState
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, Row, wait_until
from local_cloud.factory.workspace import OVERLAY
from tests.local.saas.factory import PATIENCE_SECONDS, Factory

CHAOS = ResilienceNames(prefix=NAMES.prefix)
CANARY = Row(id="acme", type="silo", region=HOME, ring="canary")
LAST = Row(id="globex", type="silo", region=HOME, ring="general")
# Fewer than one healthy task; it comes with the tenant, by a name that the tenant's id is in.
ALARM = "{id}-is-down"
EXPERIMENT = "stop-a-task"
STARTED, ENDED = "Chaos Experiment Started", "Chaos Experiment Ended"

_ROOM = {
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
            "probes": [{"name": "home", "url": "{output.SolutionEndpoint}"}, {"name": "healthy", "alarm": ALARM}],
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
_COMPONENT = {**OVERLAY["workloads"]["component"], "kind": "container_service"}
CONFIGURATION: dict[str, dict[str, Any]] = {
    "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING, "releases": _RELEASES},
    "workloads": {**OVERLAY["workloads"], "component": _COMPONENT},
    ROOM: _ROOM,
}
# Minutes of experiments and of alarms take seconds; a task takes long enough to start to be missed by a look.
QUICK = {"fis": {"seconds_a_minute": 12}, "cloudwatch": {"seconds_a_minute": 3}, "ecs": {"start_seconds": 8}}
_SERVICE = "constructs_lib/saas/container_service.py"
_PATH = '            health_check_path="/",\n'


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The factory, and the workload account in which faults are injected."""

    factory: Factory

    def client(self, service: str) -> Any:
        """A client in the tenants' account."""
        return self.factory.granary.client(service, account=WORKLOAD)

    def tasks(self, count: int) -> str:
        """Commit that every component has so many tasks, and push; the revision once CI/CD has begun its release."""
        scaling = f"min_task_count={count}, max_task_count={count}"
        target = f"ecs.CfnExpressGatewayService.ExpressGatewayScalingTargetProperty({scaling})"
        workspace = self.factory.granary.workspace
        text = (workspace.root / _SERVICE).read_text(encoding="utf-8")
        old = next((line for line in text.splitlines(keepends=True) if "scaling_target=" in line), "")
        workspace.replace(_SERVICE, _PATH + old, f"{_PATH}            scaling_target={target},\n")
        workspace.commit(f"{count} tasks")
        version = self.factory.granary.push(f"{count} tasks")
        self.factory.released(version)
        return version

    def bring_alarm(self, row: Row) -> None:
        """Make the alarm of a tenant that stands."""
        cloudwatch = self.client("cloudwatch")
        balancer = self._targets(row)
        cloudwatch.put_metric_alarm(
            AlarmName=ALARM.format(id=row.id),
            Namespace="AWS/ApplicationELB",
            MetricName="HealthyHostCount",
            Dimensions=balancer,
            Statistic="Minimum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="LessThanThreshold",
            TreatMissingData="ignore",
        )

    def _targets(self, row: Row) -> list[dict[str, str]]:
        """The dimensions of a tenant's target group."""
        ecs = self.client("ecs")
        (service,) = ecs.describe_services(cluster="default", services=[f"{row.type}-{row.id}"])["services"]
        group = service["loadBalancers"][0]["targetGroupArn"].rpartition(":")[2]

        def found() -> list[dict[str, str]] | None:
            for metric in self.client("cloudwatch").list_metrics(MetricName="HealthyHostCount")["Metrics"]:
                if {"Name": "TargetGroup", "Value": group} in metric["Dimensions"]:
                    dimensions: list[dict[str, str]] = metric["Dimensions"]
                    return dimensions
            return None

        return wait_until(found, seconds=PATIENCE_SECONDS, what=f"the metric of {row.id}")

    def experiments(self) -> list[dict[str, Any]]:
        """The experiments of the account, the newest first; there is never a template left."""
        fis = self.client("fis")
        assert fis.list_experiment_templates()["experimentTemplates"] == []
        found = [fis.get_experiment(id=one["id"])["experiment"] for one in fis.list_experiments()["experiments"]]
        return sorted(found, key=lambda one: str(one["creationTime"]), reverse=True)

    def stopped_by_fis(self) -> int:
        """How many tasks FIS has stopped."""
        ecs = self.client("ecs")
        tasks = ecs.list_tasks(cluster="default", desiredStatus="STOPPED")["taskArns"]
        told = ecs.describe_tasks(cluster="default", tasks=tasks)["tasks"] if tasks else []
        return sum("AWS FIS" in one.get("stoppedReason", "") for one in told)

    def said(self, row: Row, execution: int = 0) -> tuple[str, str]:
        """Status and words of the action in a tenant's execution; the newest one is 0."""
        client, granary = self.factory.granary.client("codepipeline"), self.factory.granary
        chosen = {"pipelineExecutionId": granary.executions(row.pipeline)[execution]["pipelineExecutionId"]}
        pages = client.get_paginator("list_action_executions").paginate(pipelineName=row.pipeline, filter=chosen)
        (one,) = (
            detail
            for page in pages
            for detail in page["actionExecutionDetails"]
            if detail["actionName"] == "resilience-fis-trigger"
        )
        result = one["output"]["executionResult"]
        failed = result.get("errorDetails", {}).get("message", "")
        return one["status"], failed or result.get("externalExecutionSummary", "")

    def verdicts(self, revision: str, ring: str = "canary") -> list[dict[str, Any]]:
        """What is kept of a ring's tenants about a release, the oldest first."""
        s3, bucket = self.factory.granary.client("s3"), NAMES.releases_bucket(TOOLCHAIN, HOME)
        found = s3.list_objects_v2(Bucket=bucket, Prefix=survivals_of(revision, ring)).get("Contents", ())
        told = [json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()) for one in found]
        return sorted(told, key=lambda one: str(one["predicate"]["judged_at"]))

    def told(self, run: Run) -> list[tuple[str, str]]:
        """What the bus has heard of experiments in a run: kinds and outcomes, in no order."""
        heard = [one for one in self.factory.bus.messages() if one["detail-type"] in (STARTED, ENDED)]
        return sorted(
            (one["detail-type"], one["detail"]["outcome"]) for one in heard if one["detail"]["run"] == run.run
        )

    def resumed(self, version: str, stopped: Run) -> Run:
        """Resume a release; its run as it was begun."""
        done = self.factory.granary.cli("resume", "--no-follow")
        assert done.returncode == 0, done.stderr

        def begun() -> Run | None:
            run = self.factory.granary.run(version)
            return run if run and run.run != stopped.run and run.state == RunState.RUNNING else None

        return wait_until(begun, seconds=PATIENCE_SECONDS, what="the resumed run")
