"""The demo of gates: a key stops a commit, an exception lets it through, and what was repaired is archived."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.factory.demo.gates import repair, stop
from local_cloud.factory.demo.gates.scene import Scene
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import Granary
from local_cloud.factory.workspace import OVERLAY

# No tenants: the sweep has nothing to do.
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
CONFIGURATION: dict[str, dict[str, Any]] = {
    **OVERLAY,
    "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING},
    "gates": {
        "security_hub": True,
        "gates": [{"name": "secrets", "scanner": "kingfisher", "scans": "source", "fail_at": "high"}],
    },
}


def play(stage: Stage, factory: Callable[[], Granary], *, first_act_only: bool) -> None:
    """Play the acts on the factory, which the first one asks for."""
    scene = Scene.set_up(stage, factory)
    fingerprint = stop.play(scene)
    if not first_act_only:
        repair.play(scene, fingerprint)
