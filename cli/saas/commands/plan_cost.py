"""`plan cost`: what so many tenants would take and cost, with the rings that are configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from cli.common.output import Output
from cli.saas.estimate import ACTION_MINUTE, BUILD_MINUTE, Assumptions, Estimate, estimate
from cli.saas.session import SaasSession
from config.policy import release_policy


def plan_cost(session: SaasSession, output: Output, *, tenants: Sequence[int], assumed: Assumptions) -> None:
    """Show estimates; it asks AWS nothing."""
    rings = release_policy(session.configuration).in_force()
    found = [estimate(count, rings, assumed) for count in tenants]
    names = ", ".join(f"{ring.name} ({ring.concurrency} at a time, bake {ring.bake_minutes} min)" for ring in rings)
    head = [
        f"rings: {names}",
        f"assumed of a tenant in a release: {assumed.pipeline_minutes:g} minutes, {assumed.action_minutes:g} of "
        f"actions at {ACTION_MINUTE} dollars, {assumed.build_minutes:g} of builds at {BUILD_MINUTE}; "
        f"{assumed.releases_a_month} releases a month",
        f"{'tenants':>8} {'a release':>10} {'builds at a time':>17} {'dollars a release':>18} {'dollars a month':>16}"
        "  ask for more",
    ]
    told = {**asdict(assumed), "action_minutes": assumed.action_minutes}
    document = {"assumed": told, "estimates": [asdict(one) for one in found]}
    output.result(document, [*head, *map(_line, found)])


def _line(one: Estimate) -> str:
    asked = "; ".join(one.quotas) or "nothing"
    hours = f"{one.release_hours:.1f} h"
    return (
        f"{one.tenants:>8,} {hours:>10} {one.builds_at_a_time:>17} {one.release_dollars:>18,.0f} "
        f"{one.month_dollars:>16,.0f}  {asked}"
    )
