"""What so many tenants take and cost: hours and dollars of a release, and the quotas to ask for; pure.

Prices are list prices of us-east-1 in November 2026, without free tiers and taxes:
https://aws.amazon.com/codepipeline/pricing/ and https://aws.amazon.com/codebuild/pricing/
Minutes are those of docs/saas/first-day-on-aws.md; nothing of it was measured on AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdas.saas.model.rings import RingPolicy

# Dollars.
ACTION_MINUTE, BUILD_MINUTE = 0.002, 0.0034
PIPELINE_MINUTES, RELEASES_A_MONTH = 13, 20
# Of each action, a minute that has begun is paid in full.
_BEGUN_MINUTES = 3
# Keys, alarms, dashboards and metrics of the toolchain, in a month.
_TOOLCHAIN = 20.0
# Of the toolchain's account, as AWS has them by default: what a tenant takes of each.
# https://docs.aws.amazon.com/general/latest/gr/codepipeline.html, codebuild.html, cfn.html
_QUOTAS = (("pipelines", 1, 1_000), ("build projects", 2, 5_000), ("stacks", 1, 2_000))


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Of one tenant in one release: minutes of its pipeline, and of builds."""

    pipeline_minutes: float = PIPELINE_MINUTES
    build_minutes: float = 5
    releases_a_month: int = RELEASES_A_MONTH

    @property
    def action_minutes(self) -> float:
        """Minutes of actions, which are paid."""
        return self.pipeline_minutes + _BEGUN_MINUTES


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What so many tenants take: `release_hours` without approvals, dollars, and quotas that are too small."""

    tenants: int
    release_hours: float
    release_dollars: float
    month_dollars: float
    builds_at_a_time: int
    quotas: tuple[str, ...]


def estimate(tenants: int, rings: Sequence[RingPolicy], assumed: Assumptions) -> Estimate:
    """Estimate; the components' own costs are their accounts', and are left out."""
    left, minutes, widest = tenants, 0.0, 0
    for number, ring in enumerate(rings):
        its = left if number == len(rings) - 1 else min(left, ring.share(tenants))
        left -= its
        at_a_time = max(1, ring.concurrency)
        widest = max(widest, min(its, at_a_time))
        minutes += -(-its // at_a_time) * assumed.pipeline_minutes + (ring.bake_minutes if its else 0)
    dollars = tenants * (assumed.action_minutes * ACTION_MINUTE + assumed.build_minutes * BUILD_MINUTE)
    return Estimate(
        tenants=tenants,
        release_hours=minutes / 60,
        release_dollars=dollars,
        month_dollars=_TOOLCHAIN + assumed.releases_a_month * dollars,
        builds_at_a_time=widest,
        quotas=tuple(
            # The toolchain has some of each itself.
            f"{takes * tenants:,} {what} of {has:,}"
            for what, takes, has in _QUOTAS
            if takes * tenants >= has
        ),
    )
