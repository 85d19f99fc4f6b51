"""What the configuration says about targets and releases, in the form that functions and builds take."""

from __future__ import annotations

from config.models import Configuration
from config.models.resilience import Section
from lambdas.common.partitions import partition_of
from lambdas.saas.model.declared import Tier
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.target_policy import TargetPolicy


def target_policy(configuration: Configuration) -> TargetPolicy:
    """Make the policy by which rows are validated."""
    workloads = configuration.workloads
    return TargetPolicy(
        partition=partition_of(configuration.toolchain.region),
        regions=frozenset(workloads.regions),
        accounts=frozenset(workloads.named_accounts) or None,
        rings=tuple(ring.name for ring in configuration.toolchain.releases.rings),
        home=configuration.toolchain.account,
        parameters={name: one.declared for name, one in workloads.parameters.items()},
        tiers={name: Tier(**tier.model_dump(exclude_none=True)) for name, tier in workloads.tiers.items()},
    )


def release_policy(configuration: Configuration) -> ReleasePolicy:
    """Make the policy by which releases are planned; rooms may demand something of a ring."""
    releases = configuration.toolchain.releases
    room = configuration.rooms.get("resilience")
    demanded = room.demanded if isinstance(room, Section) else {}
    return ReleasePolicy(
        strategy=releases.strategy,
        concurrency=releases.concurrency,
        rings=tuple(RingPolicy(**ring.model_dump(), demands=demanded.get(ring.name, ())) for ring in releases.rings),
    )
