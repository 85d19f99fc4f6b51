"""The lake in the toolchain's account: the roles of its pipelines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.imported import Imported
from constructs_lib.common.room_pipeline_roles import RoomPipelineRoles, RoomRoles
from constructs_lib.common.source import reading_source
from lambdas.lake.model.names import ROOM
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.lake import Section


class LakeRolesStack(RoomStack):
    """`<prefix>-lake`: what the pipelines of all environments share."""

    def __init__(self, scope: Construct, *, foundation: Foundation, section: Section) -> None:
        super().__init__(scope, room=ROOM, foundation=foundation)
        shared = Imported(self, "Shared", names=foundation.names)
        RoomPipelineRoles(
            self,
            "Pipelines",
            roles=RoomRoles(names=foundation.names, room=ROOM),
            targets=foundation.targets,
            qualifier=foundation.bootstrap_qualifier,
            key=shared.key,
            regions=sorted({foundation.region, *(one.region for one in section.environments)}),
            source=self._sources(foundation, section, shared),
            checks=foundation.checks,
            provisioners=[foundation.names.room_role(ROOM, "provision")],
        )

    def _sources(self, foundation: Foundation, section: Section, shared: Imported) -> list[iam.PolicyStatement]:
        source = foundation.source
        keys = [one.object_key or "" for one in section.environments] if source.provider == "s3" else [""]
        followed = [replace(source, object_key=key) for key in keys]
        followed += [replace(source, **one.own) for one in section.dataset_sources]
        return [
            statement
            for one in dict.fromkeys(followed)
            for statement in reading_source(
                one,
                names=foundation.names,
                account=Aws.ACCOUNT_ID,
                region=Aws.REGION,
                key_arn=shared.key.key_arn,
            )
        ]
