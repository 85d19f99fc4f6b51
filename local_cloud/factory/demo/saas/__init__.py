"""The factory's own demo: three rows become three tenants, a commit goes to them, one of them is retired."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.factory.demo.saas import onboarding, release, retirement
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import Granary
from local_cloud.factory.workspace import OVERLAY
from local_cloud.factory.zone import RUNS

__all__ = ["CONFIGURATION", "play"]

# What tenants get on AWS, here too.
CONFIGURATION = {**OVERLAY, "workloads": {**OVERLAY["workloads"], "component": RUNS}}


def play(stage: Stage, factory: Callable[[], Granary], *, first_act_only: bool) -> None:
    """Play the acts on the factory, which the first one asks for."""
    granary = onboarding.play(stage, factory)
    if not first_act_only:
        release.play(stage, granary)
        retirement.play(stage, granary)
