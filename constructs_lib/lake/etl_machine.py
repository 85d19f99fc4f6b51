"""The state machine of one object: raw to conformed, conformed to purpose-built, audit, notice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted_machine import encrypt, machine_logs, machine_role
from constructs_lib.lake.job import SparkJob

# The arguments of an object's jobs; `lambdas/lake/trigger/taking.py` gives them.
_ARGUMENTS = ("object_id", "bucket", "key", "version", "day", "dataset", "run")
# A job that is at its limit, and faults of the service: hours of waiting, rather than a failure.
_PASSING = ["Glue.ConcurrentRunsExceededException", "Glue.ThrottlingException", "Glue.InternalServiceException"]
_TRIES = 200
_ALL = sfn.JsonPath.object_at("$")
_MESSAGE = sfn.JsonPath.string_at("$.notice.message")


class EtlMachine(Construct):
    """Runs both jobs for one object; whatever fails, the audit row has the reason and people are told."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        jobs: Sequence[SparkJob],
        audit: lambda_.IFunction,
        topic: sns.ITopic,
        key: kms.IKey,
        alarm_actions: Sequence[cloudwatch.IAlarmAction],
    ) -> None:
        super().__init__(scope, construct_id)
        self._audit, self._topic = audit, topic
        self.role = machine_role(self, machine=name, key=key)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            comment="Takes one version of a raw object to the purpose-built zone",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition(jobs)),
            role=self.role,
            logs=sfn.LogOptions(destination=machine_logs(self, machine=name, key=key), level=sfn.LogLevel.ALL),
            tracing_enabled=True,
        )
        encrypt(self.machine, key)
        failed = self.machine.metric_failed(period=cdk.Duration.minutes(5), statistic="Sum")
        self.alarm = alarm_above(self, "Failed", failed, limit=0, actions=alarm_actions)
        acknowledge(
            self.role,
            f"AwsSolutions-IAM5[Resource::<{_logical_id(audit)}.Arn>:*]",
            reason="The versions of the one function, which the library grants with it.",
        )

    def close_stopped(self, *, dead_letters: sqs.IQueue) -> None:
        """Have the audit close what has ended without doing so: stopped by hand, timed out, or failed on its way."""
        events.Rule(
            self,
            "Stopped",
            description="An execution has ended, and may not have closed its run",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.machine.state_machine_arn],
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                },
            ),
            targets=[targets.LambdaFunction(self._audit, dead_letter_queue=dead_letters)],
        )

    def _definition(self, jobs: Sequence[SparkJob]) -> sfn.IChainable:
        end = sfn.Fail(self, "Not loaded", error="Lake.NotLoaded", cause="The audit row has the reason")
        # When even the audit fails, people get what there is.
        plainly = self._tell("Tell plainly", "Lake: FAILED, and the audit as well", sfn.JsonPath.json_to_string(_ALL))
        why = "The audit has failed as well: people were told why"
        plainly.next(sfn.Fail(self, "Not audited", error="Lake.NotAudited", cause=why))
        told = self._tell("Tell of failure", sfn.JsonPath.string_at("$.notice.subject"), _MESSAGE)
        failed = self._close("Audit failure")
        failed.add_catch(plainly, result_path="$.unaudited")
        failed.next(told.next(end))
        audited = self._close("Audit")
        audited.next(self._tell("Tell", sfn.JsonPath.string_at("$.notice.subject"), _MESSAGE)).next(
            sfn.Succeed(self, "Loaded")
        )
        steps: list[sfn.TaskStateBase] = [*map(self._run, jobs), audited]
        for step in steps:
            step.add_catch(failed, result_path="$.error")
        for step, following in pairwise(steps):
            step.next(following)
        return steps[0]

    def _run(self, job: SparkJob) -> sfn.TaskStateBase:
        step = tasks.GlueStartJobRun(
            self,
            job.node.id,
            glue_job_name=job.name,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object({f"--{one}": sfn.JsonPath.string_at(f"$.{one}") for one in _ARGUMENTS}),
            result_path=sfn.JsonPath.DISCARD,
        )
        step.add_retry(
            errors=_PASSING,
            interval=cdk.Duration.seconds(20),
            backoff_rate=1.5,
            max_delay=cdk.Duration.minutes(5),
            max_attempts=_TRIES,
            jitter_strategy=sfn.JitterType.FULL,
        )
        return step

    def _close(self, state: str) -> tasks.LambdaInvoke:
        return tasks.LambdaInvoke(
            self, state, lambda_function=self._audit, payload_response_only=True, result_path="$.notice"
        )

    def _tell(self, state: str, subject: str, message: str) -> tasks.SnsPublish:
        return tasks.SnsPublish(
            self,
            state,
            topic=self._topic,
            subject=subject,
            message=sfn.TaskInput.from_text(message),
            result_path=sfn.JsonPath.DISCARD,
        )


def _logical_id(function: lambda_.IFunction) -> str:
    cfn = function.node.default_child
    assert isinstance(cfn, cdk.CfnElement)  # noqa: S101 - what an L2 Function always holds
    return str(cdk.Stack.of(function).get_logical_id(cfn))
