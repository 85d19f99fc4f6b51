"""What a build that runs gates may say on the bus."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from lambdas.gates.model.gate import STOPPED


def say_what_stopped(bus: str, *, prefix: str) -> iam.PolicyStatement:
    """Allow putting the one kind of event on a bus (its ARN): such a build can say nothing of tenants or releases.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    return iam.PolicyStatement(
        actions=["events:PutEvents"],
        resources=[bus],
        conditions={"StringEquals": {"events:detail-type": STOPPED, "events:source": prefix}},
    )
