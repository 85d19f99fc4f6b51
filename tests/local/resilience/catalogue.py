"""The configuration of the factory under test: that of the demo, with more kinds of experiments, and a ring more."""

from __future__ import annotations

from typing import Any

from lambdas.resilience.model.names import ROOM
from local_cloud.factory.chaos import CONFIGURATION as DEMO
from local_cloud.factory.chaos import EXPERIMENT
from local_cloud.factory.granary import HOME, Row
from local_cloud.factory.zone import ENDPOINT

# Its ring has no experiment, but is validated, and demands that a canary has survived.
EARLY = Row(id="initech", type="silo", region=HOME, ring="early")
# Rings for a tenant only while there is this alarm of it.
STOPS = "{id}-stops"
_SERVICE = {"cluster": "default", "service": "{type}-{id}"}


def _stop(name: str = "stop", **more: Any) -> dict[str, Any]:
    return {"name": name, "action": "aws:ecs:stop-task", **more}


def _experiment(name: str, *faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "duration_minutes": 1, "faults": list(faults), **more}


_EXPERIMENTS = [
    _experiment("by-tag", _stop()),
    _experiment("by-more", _stop(target_parameters=_SERVICE, filters=[{"path": "LastStatus", "values": ["RUNNING"]}])),
    _experiment(
        "in-order",
        _stop("first", target_parameters=_SERVICE),
        _stop("second", target_parameters=_SERVICE, selection="PERCENT(100)", start_after=["first"]),
    ),
    _experiment("nothing", _stop(filters=[{"path": "LastStatus", "values": ["PENDING"]}])),
    _experiment("by-arn", _stop(arns=["arn:{partition}:ecs:{region}:{account}:task/default/{id}"])),
    _experiment("watched", _stop(target_parameters=_SERVICE), stop_alarms=[STOPS]),
    _experiment("logged", _stop(target_parameters=_SERVICE), log_group="/granary/{id}"),
    _experiment("a-database", {"name": "reboot", "action": "aws:rds:reboot-db-instances"}),
]
_ROOM = DEMO[ROOM]
_REACHABLE = {"name": "reachable", "probes": [{"name": "home", "url": ENDPOINT}]}
_RING = {"name": EARLY.ring, "steady_state": "reachable", "demands": ["canary"]}
_RELEASES = DEMO["toolchain"]["releases"]
CONFIGURATION: dict[str, dict[str, Any]] = {
    **DEMO,
    "toolchain": {
        **DEMO["toolchain"],
        "releases": {**_RELEASES, "rings": [{"name": "canary"}, {"name": EARLY.ring}, {"name": "general"}]},
    },
    ROOM: {
        "experiments": [*_ROOM["experiments"], *_EXPERIMENTS],
        "steady_states": [*_ROOM["steady_states"], _REACHABLE],
        "rings": [*_ROOM["rings"], _RING],
    },
}
KINDS = (EXPERIMENT, *(one["name"] for one in _EXPERIMENTS))
