"""How a build that runs gates may leave verdicts."""

from __future__ import annotations

from aws_cdk import aws_iam as iam


def leave_verdicts(verdicts: str) -> iam.PolicyStatement:
    """Allow putting objects (a pattern of ARNs) that are not there yet: what a gate has said, nobody says otherwise.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    return iam.PolicyStatement(
        actions=["s3:PutObject"], resources=[verdicts], conditions={"Null": {"s3:if-none-match": "false"}}
    )
