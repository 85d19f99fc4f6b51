"""The colour of each phase and outcome, the same everywhere."""

from __future__ import annotations

from rich.text import Text

from lambdas.saas.model.status import Phase

COLOURS = {
    Phase.PENDING: "cyan",
    Phase.PROVISIONING: "yellow",
    Phase.UPDATING: "yellow",
    Phase.MOVING: "yellow",
    Phase.ACTIVE: "green",
    Phase.FAILED: "red",
    Phase.INVALID: "red",
    Phase.SUSPENDED: "magenta",
    Phase.RETIRING: "magenta",
    Phase.RETIRED: "bright_black",
    Phase.RETIRED_WITH_WARNINGS: "red",
}


def coloured(phase: str) -> Text:
    """A phase in its colour."""
    return Text(phase, style=COLOURS[Phase(phase)] if phase in set(Phase) else "default")
