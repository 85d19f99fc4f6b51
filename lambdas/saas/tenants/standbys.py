"""Which tenants stand in two Regions, page by page; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.common.written import cut
from lambdas.saas.model.status import Status, Unreadable

# Of one page: statuses that are looked at, and characters of those that are told. The last one may go beyond, by what
# an item of the table holds at most: that stays far below the 6 MB of an answer.
LOOKED_AT = 500
TOLD = 1_000_000


def cursor_of(event: Mapping[str, Any]) -> str:
    """Read `{"standbys": true, "after": ""}`; `after` is the last page's, and empty or missing for the first.

    Raises:
        GranaryError: it is another question.
    """
    after = event.get("after", "")
    if event["standbys"] is not True or not isinstance(after, str):
        raise GranaryError(
            f'cannot tell which page {dict(event)} asks for: ask with "standbys": true, and with "after" as the last '
            "page has it, or without"
        )
    return after


def page_of_standbys(found: Iterable[Status | Unreadable]) -> dict[str, Any]:
    """One page of the deployments whose pipelines deploy to a standby, each with the places where it stands.

    The page that ends them has an empty `after`. `unreadable` names statuses that cannot be read: any of them may have
    a standby, so whoever takes what no page tells for gone does nothing while one is named.
    """
    standbys: list[dict[str, Any]] = []
    unreadable: list[str] = []
    told = 0
    for looked_at, status in enumerate(found, start=1):
        if isinstance(status, Unreadable):
            unreadable.append(cut(status.id))
        elif status.places[1:]:
            standbys.append(_with_standby(status))
            told += len(json.dumps(standbys[-1]))
        if looked_at == LOOKED_AT or told > TOLD:
            return {"standbys": standbys, "unreadable": unreadable, "after": status.id}
    return {"standbys": standbys, "unreadable": unreadable, "after": ""}


def _with_standby(status: Status) -> dict[str, Any]:
    # Where the pipeline deploys: a row that has changed since may name other places.
    (account, region), (_, standby_region) = status.places[:2]
    return {
        "id": status.id,
        "type": status.placed_type,
        "account": account,
        "region": region,
        "standby_region": standby_region,
        "phase": str(status.phase),
        "outputs": status.outputs,
    }
