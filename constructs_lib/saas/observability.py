"""The dashboards, and the alarms that belong to no function."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from constructs import Construct

from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.fleet_dashboard import PENDING_AGE_LIMIT, FleetDashboard, FleetMetrics
from constructs_lib.saas.reconciler import Reconciler
from lambdas.common.console import execution_url
from lambdas.saas.model import metric_names
from lambdas.saas.model.names import SaasNames

_PERIOD = cdk.Duration.minutes(5)
STREAM_AGE_LIMIT = cdk.Duration.minutes(10)

# What becomes of an execution of a state machine; of the last two people are told.
_EXECUTIONS = ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
_ALARMING = ("ExecutionsFailed", "ExecutionsTimedOut")


class Observability(Construct):
    """What tells that the factory itself is in trouble; a single deployment's trouble goes over the lifecycle bus."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: FactoryProps,
        reconciler: Reconciler,
        functions: Sequence[PythonFunction],
        cicd: codepipeline.Pipeline,
    ) -> None:
        super().__init__(scope, construct_id)
        names = props.names
        self._actions = props.bus.alarm_actions
        ages = {
            name: reader.function.metric("IteratorAge", statistic="Maximum", period=_PERIOD)
            for name, reader in (("Onboard", reconciler.onboard), ("LifecyclePublish", reconciler.lifecycle_publish))
        }
        errors = [function.errors for function in functions]
        machines = {
            "Release": self._executions(names.release_machine),
            "Lifecycle": self._executions(names.lifecycle_machine),
        }
        failed_builds = props.project.metric_failed_builds(period=_PERIOD, statistic="Sum")
        dead = props.dead_letters.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
        fleet = FleetMetrics(names, sweep_interval=props.sweep_interval)
        oldest = fleet.of(metric_names.OLDEST_PENDING_AGE)
        self.alarms = [
            *(
                self._alarm(f"{name}StreamAge", metric, STREAM_AGE_LIMIT.to_milliseconds())
                for name, metric in ages.items()
            ),
            *(function.alarm for function in functions),
            *(
                self._alarm(f"{name}{outcome}", executions[outcome], 0)
                for name, executions in machines.items()
                for outcome in _ALARMING
            ),
            self._alarm("FailedBuilds", failed_builds, 0),
            self._alarm("DeadLetters", dead, 0),
            self._alarm("OldestPending", oldest, PENDING_AGE_LIMIT.to_seconds()),
            self._alarm("Unreadable", fleet.of(metric_names.UNREADABLE), 0),
        ]
        self._tell_of_the_pipeline(props, cicd)
        self.dashboard = self._dashboard(names, list(ages.values()), errors, failed_builds, dead)
        self.fleet = FleetDashboard(
            self,
            "Fleet",
            names=names,
            fleet=fleet,
            machines={
                names.release_machine: list(machines["Release"].values()),
                names.lifecycle_machine: list(machines["Lifecycle"].values()),
            },
            errors=errors,
        )

    def _executions(self, machine: str) -> dict[str, cloudwatch.Metric]:
        """Metrics of a state machine that is known by name alone; a label would make metric math of their alarms."""
        stack = cdk.Stack.of(self)
        arn = f"arn:{Aws.PARTITION}:states:{stack.region}:{stack.account}:stateMachine:{machine}"
        return {
            outcome: cloudwatch.Metric(
                namespace="AWS/States",
                metric_name=outcome,
                dimensions_map={"StateMachineArn": arn},
                statistic="Sum",
                period=_PERIOD,
            )
            for outcome in _EXECUTIONS
        }

    def _alarm(self, construct_id: str, metric: cloudwatch.Metric, limit: float) -> cloudwatch.Alarm:
        return alarm_above(self, construct_id, metric, limit=limit, actions=self._actions)

    def _tell_of_the_pipeline(self, props: FactoryProps, cicd: codepipeline.Pipeline) -> None:
        names = props.names
        execution = events.EventField.from_path("$.detail.execution-id")
        title = f"CI/CD pipeline {names.cicd_pipeline} failed: nothing was released"
        link = execution_url(
            pipeline=names.cicd_pipeline, execution_id=str(execution), region=cdk.Stack.of(self).region
        )
        where = f"Execution {execution} {link}".rstrip()
        rule = cicd.on_state_change(
            "CicdFailed",
            event_pattern=events.EventPattern(detail={"state": ["FAILED"]}),
            target=props.bus.told(events.RuleTargetInput.from_text(f"{title}. {where}")),
        )
        rule.add_target(
            props.bus.told_in_chat(
                events.RuleTargetInput.from_object(
                    {
                        "version": "1.0",
                        "source": "custom",
                        "content": {
                            "textType": "client-markdown",
                            "title": title,
                            "description": where,
                            "nextSteps": ["Open the execution, correct what failed, and push the correction."],
                        },
                    }
                )
            )
        )

    def _dashboard(
        self,
        names: SaasNames,
        ages: list[cloudwatch.Metric],
        errors: list[cloudwatch.Metric],
        failed_builds: cloudwatch.Metric,
        dead: cloudwatch.Metric,
    ) -> cloudwatch.Dashboard:
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{names.prefix}-factory")
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(self.alarms), width=24),
            cloudwatch.GraphWidget(title="Age of the oldest stream record (ms)", left=ages, width=12),
            cloudwatch.GraphWidget(title="Errors of functions", left=errors, width=12),
            cloudwatch.GraphWidget(title="Failed provisioning builds", left=[failed_builds], width=12),
            cloudwatch.GraphWidget(title="Dead letters", left=[dead], width=12),
        )
        return dashboard
