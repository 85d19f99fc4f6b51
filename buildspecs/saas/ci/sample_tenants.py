"""Sample tenants: beside the assembly, in `cdk.out/samples`, for what rooms check of templates; and of every kind, for
the digest of what tenants get.

The first are a silo and a pool of the largest size, and a silo of each tier, in the first account and Region of the
configuration. What a record decides is the account, the Region, names, tags, the size and parameters: of a component
that does more with them, this is a sample.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from buildspecs.saas.build_steps import make_ready
from buildspecs.saas.ci import every_kind
from buildspecs.synthesis import synthesize
from config.loader import load
from config.models import Configuration
from lambdas.common.partitions import partition_of
from lambdas.saas.model.record import DeploymentRecord, Size
from stacks.cicd import rooms_on
from stacks.saas.plan import TenantsPlan

_OUT = Path("cdk.out/samples").resolve()
# No account of an organization is known beforehand.
_ANY = "000000000000"


def plan(configuration: Configuration) -> TenantsPlan:
    """The plan of the samples; their artifact keys are made up, as nothing is deployed."""
    home, there = configuration.toolchain, configuration.workloads
    region = there.regions[0]
    account = (*there.named_accounts, _ANY)[0]
    keys = {
        one: f"arn:{partition_of(one)}:kms:{one}:{home.account}:key/00000000-0000-4000-8000-000000000000"
        for one in {home.region, region}
    }
    largest = [
        DeploymentRecord(id="sample", type=kind, account=account, region=region, size=Size.LARGE.value)
        for kind in ("silo", "pool")
    ]
    tiers = [replace(largest[0], id=f"sample-{name}", size="", tier=name) for name in there.tiers]
    return TenantsPlan(artifact_keys=keys, deployments=(*largest, *tiers))


def main() -> None:
    """Synthesize them; those for rooms, if one that is on checks anything."""
    configuration = load()
    make_ready()
    if any(room.checks for room, _ in rooms_on(configuration)):
        synthesize(plan(configuration), out=_OUT)
    every_kind.note(configuration)


if __name__ == "__main__":
    main()
