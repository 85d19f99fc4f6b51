"""The room `gates`: nothing is deployed or released that its gates have not passed."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from constructs_lib.gates.left_verdicts import leave_verdicts
from constructs_lib.gates.stop_events import say_what_stopped
from lambdas.common.evidence.verdict import VERDICTS
from lambdas.gates.model.gate import EXPORTED, Scope
from lambdas.gates.model.kept_report import FOLDER
from stacks.foundation import Foundation
from stacks.gates.analyzer import analyzer_statements
from stacks.gates.stack import GatesStack
from stacks.room import Room, RoomStep


def _statements(foundation: Foundation) -> Sequence[iam.PolicyStatement]:
    """Leaving verdicts and reports, and saying on the bus what was stopped; never reading or deleting any.

    What is kept about repositories, their own builds leave.
    """
    names, account, region = foundation.names, foundation.account, foundation.region
    releases = f"arn:{Aws.PARTITION}:s3:::{names.releases_bucket(account, region)}"
    reports = f"arn:{Aws.PARTITION}:s3:::{names.reports_bucket(account, region)}"
    keys = iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[foundation.arn("kms", "key/*")]
    )
    aliases = [names.artifacts_alias, f"alias/{names.prefix}-data"]
    keys.add_condition("ForAnyValue:StringEquals", {"kms:ResourceAliases": aliases})
    own = [f"{reports}/{FOLDER}{scope.value}/*" for scope in (Scope.SOURCE, Scope.TEMPLATES)]
    return [
        leave_verdicts(f"{releases}/{VERDICTS}*"),
        iam.PolicyStatement(actions=["s3:PutObject"], resources=own),
        keys,
        say_what_stopped(foundation.arn("events", f"event-bus/{names.event_bus}"), prefix=names.prefix),
    ]


ROOM = Room(
    name="gates",
    stacks=lambda stage, foundation, section: GatesStack(stage, foundation=foundation, section=section),
    before_synth=(RoomStep(job="source_gates", statements=_statements, exports=EXPORTED),),
    checks=("template_gates",),
    check_statements=lambda foundation, section: [*_statements(foundation), *analyzer_statements(foundation, section)],
    demands=lambda section: section.demanded,
)
