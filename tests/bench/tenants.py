"""Plans of tenants to synthesize, with the configuration that is checked in."""

from __future__ import annotations

from config.loader import load
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan


def home() -> tuple[str, str]:
    """Account and Region of the toolchain."""
    toolchain = load().toolchain
    return toolchain.account, toolchain.region


def tenant(number: int = 1, *, abroad: bool = False) -> DeploymentRecord:
    """A tenant in a workload account, in the toolchain's Region or in another one.

    Raises:
        ValueError: the configuration names no account, or no second Region.
    """
    workloads, (_, region) = load().workloads, home()
    others = [other for other in workloads.regions if other != region]
    if not workloads.accounts or (abroad and not others):
        raise ValueError("config/workloads.yaml: the benchmark needs an account, and a Region beside the toolchain's")
    return DeploymentRecord(
        id=f"bench{number}", type="silo", account=workloads.accounts[0], region=others[0] if abroad else region
    )


def plan_of(*records: DeploymentRecord) -> TenantsPlan:
    """A plan with a made-up artifact key in every Region that it needs."""
    account, region = home()
    regions = {region, *(record.region for record in records)}
    keys = {name: f"arn:aws:kms:{name}:{account}:key/00000000-0000-4000-8000-000000000000" for name in regions}
    return TenantsPlan(artifact_keys=keys, deployments=records)
