"""Having roles stand below the IAM path that the policies of workload accounts name, and what bounds them."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from lambdas.common.names import WORKLOAD_ROLE_PATH

# Context by which the CDK gives roles a boundary, in stages below too:
# https://docs.aws.amazon.com/cdk/v2/guide/customize-permissions-boundaries.html
BOUNDARY = "@aws-cdk/core:permissionsBoundary"


@jsii.implements(cdk.IAspect)
class _RolePath:
    def visit(self, node: IConstruct) -> None:
        if isinstance(node, iam.CfnRole) and not node.path:
            node.path = WORKLOAD_ROLE_PATH


def place_roles(scope: IConstruct) -> None:
    """Give the roles in a scope that name no path the factory's: CloudFormation may make no others there."""
    cdk.Aspects.of(scope).add(_RolePath())
