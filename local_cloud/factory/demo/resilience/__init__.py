"""The demo of resilience: a canary does not bear that a task is stopped, is spared, survives; a Region goes down."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.factory.chaos import CONFIGURATION
from local_cloud.factory.demo.resilience import failover, releases
from local_cloud.factory.demo.resilience.scene import Scene
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import Granary

__all__ = ["CONFIGURATION", "play"]


def play(stage: Stage, factory: Callable[[], Granary], *, first_act_only: bool) -> None:
    """Play the acts on the factory, which the first one asks for."""
    scene = Scene.set_up(stage, factory)
    if not first_act_only:
        releases.play(scene)
        failover.play(stage, scene.chaos.granary)
