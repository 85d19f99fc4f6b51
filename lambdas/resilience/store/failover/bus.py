"""What people are told of a group: a line of its history, and an event on the bus of the Region."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.bus import put_event
from lambdas.common.isolation import contained
from lambdas.resilience.store.failover.table import FailoverTable

logger = logging.getLogger(__name__)
# Kinds of events on the bus.
CHANGED, DISAGREES = "Failover Changed", "Failover Disagrees"


@dataclass(frozen=True, kw_only=True)
class Bus:
    """The bus `name`, on which the factory is known as `source`."""

    events: Any
    name: str
    source: str

    def say(
        self, table: FailoverTable, group: str, kind: str, what: Mapping[str, str], *, key: str, once: bool = False
    ) -> None:
        """Keep a line about a group in its history, once a `key`, and say it on the bus, `once` as well."""
        if not table.say(group, {**what, "kind": kind}, key=key) and once:
            return
        # Nothing is held up because nobody could be told.
        with contained(f"telling of group {group}"):
            detail = {**what, "group": group}
            if problem := put_event(self.events, bus=self.name, source=self.source, kind=kind, detail=detail):
                logger.error("the bus %s has not taken an event about group %s: %s", self.name, group, problem)
