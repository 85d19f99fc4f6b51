"""What the configuration says about where components may go, in the form that functions and builds take."""

from __future__ import annotations

from config.models import Configuration
from lambdas.common.partitions import partition_of
from lambdas.common.record import TargetPolicy


def target_policy(configuration: Configuration) -> TargetPolicy:
    """Make the policy by which rows are validated."""
    workloads = configuration.workloads
    return TargetPolicy(
        partition=partition_of(configuration.toolchain.region),
        regions=frozenset(workloads.regions),
        accounts=None if workloads.organization_id else frozenset(workloads.accounts),
    )
