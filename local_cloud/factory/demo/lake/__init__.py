"""The demo of the lake: files are transformed, and who may read what is planned, refused, approved and granted.

Its pipelines deploy the lake into an account of its own, and what they deploy runs: both jobs in Spark.
"""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.factory.demo.lake import access, files, repair
from local_cloud.factory.demo.lake.scene import Scene
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import Granary
from local_cloud.factory.lake import CONFIGURATION

__all__ = ["CONFIGURATION", "play"]


def play(stage: Stage, factory: Callable[..., Granary], *, first_act_only: bool) -> None:
    """Play the acts on the factory, which the first one asks for."""
    scene = Scene.set_up(stage, factory)
    if not first_act_only:
        files.play(scene)
        repair.play(scene)
        access.play(scene)
