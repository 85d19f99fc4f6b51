"""The base of the stacks that the lake has in its own account."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IConstruct

from constructs_lib.common.role_path import BOUNDARY
from lambdas.common.names import ROOM_TAG, WORKLOAD_ROLE_PATH
from lambdas.lake.model.names import ROOM, LakeNames, Zone


def lake_synthesizer(names: LakeNames, qualifier: str) -> cdk.DefaultStackSynthesizer:
    """How a stack of the lake is deployed: with the room's own roles, and with assets below a folder of its own."""

    def role(purpose: str) -> str:
        name = names.room_role(ROOM, purpose)
        return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{WORKLOAD_ROLE_PATH}{name}"

    return cdk.DefaultStackSynthesizer(
        qualifier=qualifier,
        bucket_prefix=f"{ROOM}/",
        cloud_formation_execution_role=role("execution"),
        deploy_role_arn=role("deploy"),
        file_asset_publishing_role_arn=role("publish"),
    )


class LakeStack(cdk.Stack):
    """`<prefix>-lake-<environment>-<part>`: its roles stand below the room's path, within the room's boundary.

    A role has one: where workload accounts have a boundary for all roles, it comes instead.
    """

    def __init__(self, scope: Construct, *, names: LakeNames, part: str, env: cdk.Environment, qualifier: str) -> None:
        super().__init__(
            scope,
            names.part(part),
            stack_name=names.part(part),
            env=env,
            synthesizer=lake_synthesizer(names, qualifier),
        )
        self.names = names
        self.add_stack_tag(ROOM_TAG, f"{names.prefix}/{ROOM}")
        if not (self.node.try_get_context(BOUNDARY) or {}).get("name"):
            self._bound_roles()
        cdk.Aspects.of(self).add(_RolePath())

    def _bound_roles(self) -> None:
        boundary = f"policy{WORKLOAD_ROLE_PATH}{self.names.room_role(ROOM, 'execution')}"
        arn = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:{boundary}"
        iam.PermissionsBoundary.of(self).apply(iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", arn))

    def key(self, zone: Zone) -> kms.IKey:
        """The key of a zone, which the account's administrator has made."""
        arn = ssm.StringParameter.value_for_string_parameter(self, self.names.key_parameter(zone))
        return kms.Key.from_key_arn(self, f"Key-{zone.value}", arn)


@jsii.implements(cdk.IAspect)
class _RolePath:
    def visit(self, node: IConstruct) -> None:
        if isinstance(node, iam.CfnRole):
            node.path = f"{WORKLOAD_ROLE_PATH}{ROOM}/"
