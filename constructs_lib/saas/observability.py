"""The factory's dashboard and alarms."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.saas.lifecycle_bus import LifecycleBus
from constructs_lib.saas.reconciler import Reconciler
from lambdas.common.names import Names

_PERIOD = cdk.Duration.minutes(5)
STREAM_AGE_LIMIT = cdk.Duration.minutes(10)


class Observability(Construct):
    """What tells that the factory itself is in trouble; a single deployment's trouble goes over the lifecycle bus."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        reconciler: Reconciler,
        project: codebuild.Project,
        cicd: codepipeline.Pipeline,
        dead_letters: sqs.Queue,
        lifecycle: LifecycleBus,
    ) -> None:
        super().__init__(scope, construct_id)
        self._action = cloudwatch_actions.SnsAction(lifecycle.failures)
        functions = {
            "Onboard": reconciler.onboard.function,
            "Sweep": reconciler.sweep.function,
            "PipelineWatch": reconciler.pipeline_watch.function,
            "LifecyclePublish": reconciler.lifecycle_publish.function,
        }
        ages = {
            name: functions[name].metric("IteratorAge", statistic="Maximum", period=_PERIOD)
            for name in ("Onboard", "LifecyclePublish")
        }
        failed_builds = project.metric_failed_builds(period=_PERIOD, statistic="Sum")
        dead = dead_letters.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
        self.alarms = [
            *(
                self._alarm(f"{name}StreamAge", metric, STREAM_AGE_LIMIT.to_milliseconds())
                for name, metric in ages.items()
            ),
            *(
                self._alarm(f"{name}Errors", function.metric_errors(period=_PERIOD, statistic="Sum"), 0)
                for name, function in functions.items()
            ),
            self._alarm("FailedBuilds", failed_builds, 0),
            self._alarm("DeadLetters", dead, 0),
        ]
        self._tell_of_the_pipeline(names, cicd, lifecycle)
        self.dashboard = self._dashboard(
            names,
            list(ages.values()),
            [function.metric_errors(period=_PERIOD) for function in functions.values()],
            failed_builds,
            dead,
        )

    def _alarm(self, construct_id: str, metric: cloudwatch.Metric, limit: float) -> cloudwatch.Alarm:
        alarm = metric.create_alarm(
            self,
            construct_id,
            threshold=limit,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        return alarm

    def _tell_of_the_pipeline(self, names: Names, cicd: codepipeline.Pipeline, lifecycle: LifecycleBus) -> None:
        cicd.on_state_change(
            "CicdFailed",
            event_pattern=events.EventPattern(detail={"state": ["FAILED"]}),
            target=lifecycle.told(
                events.RuleTargetInput.from_text(
                    f"CI/CD pipeline {names.cicd_pipeline} failed: nothing was released. "
                    f"Execution {events.EventField.from_path('$.detail.execution-id')}"
                )
            ),
        )

    def _dashboard(
        self,
        names: Names,
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
