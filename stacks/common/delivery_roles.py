"""The room `delivery` in workload accounts: reading repositories."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.common.grants import allow
from constructs_lib.common.workload_role import WorkloadRole, in_account
from stacks.common.room_deployment import deployment_roles
from stacks.foundation import Foundation

_COMMITS = ("BatchGetCommits", "GetBranch", "GetCommit", "GetFile", "GetFolder", "GetRepository", "GitPull")
_IMAGES = ("BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer", "ListImages")
_PACKAGES = ("GetPackageVersionReadme", "GetRepositoryEndpoint", "ListPackageVersions", "ReadFromRepository")


def delivery_roles(foundation: Foundation) -> Sequence[WorkloadRole]:
    """Its roles; repositories bear the names of the room's stacks."""
    names = foundation.names
    own = f"{names.prefix}-delivery-"
    token = allow(["sts:GetServiceBearerToken"], "*")
    token.add_condition("StringEquals", {"sts:AWSServiceName": "codeartifact.amazonaws.com"})
    return (
        *deployment_roles(foundation, "delivery"),
        WorkloadRole(
            purpose="DeliveryRepositoryRead",
            name=names.room_role("delivery", "repository-read"),
            description="Reads the room's repositories of source, images and packages",
            roles=[names.room_role("delivery", "pipeline"), names.room_role("delivery", "build")],
            statements=[
                allow([f"codecommit:{one}" for one in _COMMITS], in_account("codecommit", f"{own}*")),
                allow([f"ecr:{one}" for one in _IMAGES], in_account("ecr", f"repository/{own}*")),
                # A token of ECR, as CodeArtifact's for its domain, allows no more than the role itself.
                allow(["ecr:GetAuthorizationToken"], "*"),
                allow(
                    [f"codeartifact:{one}" for one in _PACKAGES],
                    in_account("codeartifact", f"package/{own}*"),
                    in_account("codeartifact", f"repository/{own}*"),
                ),
                allow(["codeartifact:GetAuthorizationToken"], in_account("codeartifact", f"domain/{own}*")),
                token,
            ],
            reason="Repositories come and go without a deployment of this stack: names bound what is read.",
        ),
    )
