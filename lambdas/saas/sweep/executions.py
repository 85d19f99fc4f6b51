"""The executions of the release machine, as far as the sweep needs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.saas.store.release_starts import ReleaseMachine
from lambdas.saas.sweep.dead_run import Execution


class Executions(Protocol):
    """Port to the executions of the release machine; each bears the name of its run."""

    def look(self, run: str) -> Execution: ...


@dataclass(frozen=True, kw_only=True)
class WatchedReleaseMachine(ReleaseMachine):
    """The release machine, whose executions Step Functions remembers for 90 days after their end."""

    def look(self, run: str) -> Execution:
        """Read the execution of a run, with its data."""
        found = self.described(run)
        return Execution(
            arn=self.arn(run),
            status=found.get("status", ""),
            error=found.get("error", ""),
            cause=found.get("cause", ""),
            given=_object(found.get("input", "")),
        )


def _object(text: str) -> dict[str, Any]:
    """Whoever starts a machine by hand may give it anything."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
