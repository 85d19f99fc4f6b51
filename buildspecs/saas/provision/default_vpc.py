"""Whether a container service has a network to go into."""

from __future__ import annotations

from collections.abc import Collection

from lambdas.common.cross_account import LookupRoles


def network_problem(lookup: LookupRoles, *, account: str, region: str, subnets: Collection[str]) -> str | None:
    """Tell why there is no network, and what to do; None when there is one. `subnets` are the configured places."""
    if f"{account}/{region}" in subnets:
        return None
    client = lookup.client("ec2", account=account, region=region, allow=["ec2:DescribeVpcs"])
    if client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        return None
    return (
        f"account {account} has no default VPC in {region}, which a container_service goes into: name subnets for "
        f'"{account}/{region}" under component.subnets in config/workloads.yaml and release that, or run '
        f"`aws ec2 create-default-vpc --region {region}` there"
    )
