"""The probe's stack: a function, and a dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.imported import Imported
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.python_function import PythonFunction
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.probe import Section


class ProbeStack(RoomStack):
    """`<prefix>-probe`."""

    def __init__(self, scope: Construct, *, foundation: Foundation, section: Section) -> None:
        super().__init__(scope, room="probe", foundation=foundation)
        names = foundation.names
        shared = Imported(self, "Shared", names=names)
        key = shared.key
        greet = PythonFunction(
            self,
            "Greet",
            names=names,
            room="probe",
            job="greet",
            description="Greets each tenant's pipeline",
            key=key,
            alarm_actions=[cloudwatch_actions.SnsAction(topic) for topic in shared.topics],
            environment={
                "GREETING": section.greeting,
                "REFUSES": ",".join(section.refuses) or "nobody",
                "TENANTS_FUNCTION": names.tenants_function,
            },
        )
        ask = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[foundation.tenants_arn])
        # What a job's result is about has no resource.
        answer = iam.PolicyStatement(
            actions=["codepipeline:PutJobFailureResult", "codepipeline:PutJobSuccessResult"], resources=["*"]
        )
        for statement in (ask, answer):
            greet.role.add_to_policy(statement)
        acknowledge(greet.role, "AwsSolutions-IAM5[Resource::*]", reason="Results of jobs have no resource.")
        # Something that stays when the room goes.
        PrivateBucket(
            self,
            "Kept",
            name=f"{names.prefix}-probe-{self.account}-{self.region}",
            key=key,
            access_logs=shared.access_logs,
            noncurrent_days=1,
        )
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{names.prefix}-probe")
        dashboard.add_widgets(cloudwatch.GraphWidget(title="Greetings", left=[greet.function.metric_invocations()]))
