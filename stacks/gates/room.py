"""The room `gates`: nothing is deployed or released that its gates have not passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.left_verdicts import leave_verdicts
from constructs_lib.gates.stop_events import say_what_stopped
from lambdas.common.evidence.kept_report import FOLDER
from lambdas.common.evidence.verdict import VERDICTS
from lambdas.gates.model.branch import PIPELINES
from lambdas.gates.model.gate import EXPORTED, Scope
from stacks.foundation import Foundation
from stacks.gates.analyzer import analyzer_statements
from stacks.room import Room, RoomStep


def _statements(foundation: Foundation) -> Sequence[iam.PolicyStatement]:
    """Leaving verdicts and reports about a release, and saying on the bus what was stopped.

    What is kept about repositories, their own builds leave.
    """
    names, account, region = foundation.names, foundation.account, foundation.region
    releases = f"arn:{Aws.PARTITION}:s3:::{names.releases_bucket(account, region)}/{VERDICTS}*"
    return _leaving(foundation, releases, [scope.value for scope in (Scope.SOURCE, Scope.TEMPLATES)])


def _about_pipelines(foundation: Foundation, section: Any) -> Sequence[iam.PolicyStatement]:
    """The same about pipelines of other rooms, apart: their builds must not say anything of a release."""
    reports = foundation.names.reports_bucket(foundation.account, foundation.region)
    verdicts = f"arn:{Aws.PARTITION}:s3:::{reports}/{VERDICTS}{PIPELINES}/*"
    return [*_leaving(foundation, verdicts, [PIPELINES]), *analyzer_statements(foundation, section)]


def _leaving(foundation: Foundation, verdicts: str, targets: Sequence[str]) -> list[iam.PolicyStatement]:
    """Never reading or deleting any."""
    names, account, region = foundation.names, foundation.account, foundation.region
    reports = f"arn:{Aws.PARTITION}:s3:::{names.reports_bucket(account, region)}"
    keys = iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[foundation.arn("kms", "key/*")]
    )
    aliases = [names.artifacts_alias, f"alias/{names.prefix}-data"]
    keys.add_condition("ForAnyValue:StringEquals", {"kms:ResourceAliases": aliases})
    own = [f"{reports}/{FOLDER}{target}/*" for target in targets]
    return [
        leave_verdicts(verdicts),
        iam.PolicyStatement(actions=["s3:PutObject"], resources=own),
        keys,
        say_what_stopped(foundation.arn("events", f"event-bus/{names.event_bus}"), prefix=names.prefix),
    ]


def _stacks(stage: Construct, foundation: Foundation, section: Any) -> None:
    from stacks.gates.stack import GatesStack

    GatesStack(stage, foundation=foundation, section=section)


ROOM = Room(
    name="gates",
    stacks=_stacks,
    before_synth=(RoomStep(job="source_gates", statements=_statements, exports=EXPORTED),),
    checks=("template_gates",),
    check_statements=lambda foundation, section: [*_statements(foundation), *analyzer_statements(foundation, section)],
    check_elsewhere=_about_pipelines,
    demands=lambda section: section.demanded,
)
