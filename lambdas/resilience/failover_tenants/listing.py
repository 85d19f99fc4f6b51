"""The tenants that have a standby, as the room saas tells them, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.versioned_json import read
from lambdas.common.written import shown
from lambdas.resilience.model.failover.tenants import Standby

# Far more than there are: an answer that leads on and on has no end.
_PAGES = 1000
_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Those who were listed; `problems` say why they may not be all."""

    tenants: tuple[Standby, ...]
    problems: tuple[str, ...] = ()


def listed(ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Listing:
    """Ask for all pages; who cannot be read is told, and makes the list no list of all.

    Raises:
        GranaryError: the function of the room saas failed.
    """
    tenants: dict[str, Standby] = {}
    problems: list[str] = []
    after = ""
    for _ in range(_PAGES):
        answer = ask({"standbys": True, "after": after})
        problems += [f"the status of {shown(one)} cannot be read" for one in answer["unreadable"]]
        for one in answer["standbys"]:
            try:
                tenant = read(Standby, one)
            except ValueError as error:
                problems.append(f"{shown(one)}: {error}")
            else:
                tenants[tenant.id] = tenant
        if not (after := answer["after"]):
            return Listing(tenants=tuple(tenants.values()), problems=tuple(problems[:_TOLD]))
    return Listing(tenants=tuple(tenants.values()), problems=(f"there are more than {_PAGES} pages of tenants",))
