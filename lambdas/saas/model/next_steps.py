"""What a person should do next about a deployment, by its phase; the command line and the bus say the same; pure."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.saas.model.status import Phase

_STEPS: Mapping[Phase, str] = {
    Phase.PENDING: "nothing: the next provisioning build takes it up",
    Phase.PROVISIONING: "nothing: it is being deployed for the first time, or anew",
    Phase.UPDATING: "nothing: another revision is being deployed",
    Phase.ACTIVE: "nothing: it is deployed",
    Phase.FAILED: "remove the cause that the reason names, then run `granary retry {id}`",
    Phase.INVALID: "correct the row as the reason says; it is then taken up automatically",
    Phase.SUSPENDED: "nothing, or bring it back with `granary activate {id}`",
    Phase.MOVING: "nothing: the new place is deployed before the old one is deleted",
    Phase.RETIRING: "nothing, or keep it{until} with `granary activate {id}`",
    Phase.RETIRED: "nothing: it is retired; the row can be deleted",
    Phase.RETIRED_WITH_WARNINGS: "delete by hand what the warnings name; the row can be deleted",
}


def step_of(phase: Phase, *, deployment_id: str, retire_after: str = "") -> str:
    """Tell what to do, beginning with `nothing` when it is nothing."""
    until = f" until {retire_after}" if retire_after else ""
    return _STEPS[phase].format(id=deployment_id, until=until)
