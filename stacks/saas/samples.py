"""Sample tenants, for what is checked of templates before anybody has them; pure.

A silo and a pool of the largest size, and a silo of each tier, in the first account and Region of the configuration.
What a record decides is the account, the Region, names, tags, the size and parameters: of a component that does more
with them, this is a sample.
"""

from __future__ import annotations

from dataclasses import replace

from config.models import Configuration
from lambdas.common.partitions import partition_of
from lambdas.saas.model.record import DeploymentRecord, Size
from stacks.saas.plan import TenantsPlan

# No account of an organization is known beforehand.
_ANY = "000000000000"


def sample_account(configuration: Configuration) -> str:
    """An account that samples may name."""
    return (*configuration.workloads.named_accounts, _ANY)[0]


def sample_keys(configuration: Configuration, *regions: str) -> dict[str, str]:
    """Artifact keys of the toolchain's Region and of these: made up, as nothing is deployed."""
    home = configuration.toolchain
    return {
        one: f"arn:{partition_of(one)}:kms:{one}:{home.account}:key/00000000-0000-4000-8000-000000000000"
        for one in {home.region, *regions}
    }


def sample_tenants(configuration: Configuration) -> TenantsPlan:
    """The plan of the samples."""
    there = configuration.workloads
    region, account = there.regions[0], sample_account(configuration)
    largest = [
        DeploymentRecord(id="sample", type=kind, account=account, region=region, size=Size.LARGE.value)
        for kind in ("silo", "pool")
    ]
    tiers = [replace(largest[0], id=f"sample-{name}", size="", tier=name) for name in there.tiers]
    return TenantsPlan(artifact_keys=sample_keys(configuration, region), deployments=(*largest, *tiers))
