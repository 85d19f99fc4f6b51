"""What a row leaves to its tier and to defaults; pure.

Builds fill it in, by the declarations of their own source: a default that changes comes to the tenants with a release,
ring by ring, and leaves the digests of rows alone.
"""

from __future__ import annotations

from dataclasses import replace

from lambdas.common.errors import GranaryError
from lambdas.saas.model.declared import Tier
from lambdas.saas.model.record import DeploymentRecord, Size
from lambdas.saas.model.target_policy import TargetPolicy


def filled(record: DeploymentRecord, policy: TargetPolicy) -> DeploymentRecord:
    """The record as it is deployed: what the row says, else its tier, else the default.

    A parameter that this source does not declare, its component does not know: it is left out.

    Raises:
        GranaryError: this source has no such tier; what holds for all instead might make the tenant smaller.
    """
    if record.tier and record.tier not in policy.tiers:
        raise GranaryError(
            f"tier {record.tier} is none of this release: declare it under `tiers` in config/workloads.yaml, or wait "
            "for the release that does"
        )
    tier, own = policy.tiers.get(record.tier, Tier()), dict(record.tags)
    given = tier.parameters | dict(record.parameters)
    parameters = {name: given.get(name, one.default) for name, one in policy.parameters.items()}
    return replace(
        record,
        size=record.size or tier.size or Size.SMALL.value,
        tags=tuple(sorted({**tier.tags_beside(own), **own}.items())),
        parameters=tuple(sorted(parameters.items())),
    )
