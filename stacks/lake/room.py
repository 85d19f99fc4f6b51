"""The room `lake`: storage and ETL of a data lake's environments, and who may read what in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.models import Configuration
from constructs_lib.common.grants import allow, own_role
from lambdas.lake.model.names import ROOM as NAME
from lambdas.lake.model.names import LakeNames
from stacks.foundation import Foundation
from stacks.room import Room, RoomStep

if TYPE_CHECKING:
    from config.models.lake import Section


def _pipelines(app: cdk.App, configuration: Configuration, plan_file: str) -> None:
    from stacks.lake.pipelines import build_pipelines
    from stacks.validation import add_rules

    add_rules(app)
    build_pipelines(app, configuration=configuration, plan_file=plan_file)


def _provisioning(foundation: Foundation) -> Sequence[iam.PolicyStatement]:
    """Deploying the pipelines of environments that have none yet: afterwards they change themselves."""
    names = foundation.names
    parameter = f"parameter{names.artifacts_key_parameter}"
    return [
        allow(["sts:AssumeRole"], own_role(names.room_role(NAME, "pipeline-deploy"))),
        allow(["cloudformation:DescribeStacks"], foundation.arn("cloudformation", f"stack/{names.prefix}-{NAME}-*")),
        allow(["ssm:GetParameter"], f"arn:{Aws.PARTITION}:ssm:*:{foundation.account}:{parameter}"),
    ]


def _keys(scope: Construct, foundation: Foundation, section: Section) -> None:
    from stacks.lake.keys import LakeKeysStack

    for one in section.environments:
        LakeKeysStack(
            scope,
            names=LakeNames(prefix=foundation.names.prefix, environment=one.name),
            env=cdk.Environment(account=one.account, region=one.region),
            qualifier=foundation.targets.qualifier,
        )


def _stacks(stage: Construct, foundation: Foundation, section: Section) -> None:
    from stacks.lake.governance import GovernanceStack
    from stacks.lake.stack import LakeRolesStack

    LakeRolesStack(stage, foundation=foundation, section=section)
    if section.permissions:
        GovernanceStack(stage, foundation=foundation, section=section, permissions=section.permissions)


ROOM = Room(
    name=NAME,
    stacks=_stacks,
    administrators=_keys,
    before_release=(RoomStep(job="pipelines", role="provision", statements=_provisioning),),
    modes={"lake": _pipelines},
)
