"""The resources of RDS's operations on global clusters, which ministack evaluates on `*`.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

from ministack.core import iam_actions

from local_cloud.server import iam_gaps


def register() -> None:
    """Name them for IAM; once, before it serves."""
    iam_gaps.resource_of("rds", _resources)


def _resources(request: iam_gaps.Request) -> list[str] | None:
    name = iam_actions._query_param(request.query, "GlobalClusterIdentifier")
    if not request.operation.endswith(("GlobalCluster", "GlobalClusters")) or not name:
        return None
    found = [f"arn:aws:rds::{request.account}:global-cluster:{name}"]
    target = iam_actions._query_param(request.query, "TargetDbClusterIdentifier")
    return [*found, target] if target else found
