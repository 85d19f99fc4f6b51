"""What all rows wish for: a row that the program itself fails at leaves everybody else's as they are; pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from lambdas.common.isolation import fault
from lambdas.common.log import about
from lambdas.saas.model.lifecycle import checked
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, name_of, parse_row
from lambdas.saas.model.status import Status, Unreadable
from lambdas.saas.model.target_policy import TargetPolicy

logger = logging.getLogger(__name__)

Wishes = dict[str, DeploymentRecord | InvalidRow]


def read_wishes(
    rows: Iterable[Mapping[str, Any]], statuses: Mapping[str, Status], policy: TargetPolicy
) -> tuple[Wishes, dict[str, Unreadable]]:
    """All rows by id, as what is known of their deployments allows them, and apart from them what nobody can read."""
    wishes: Wishes = {}
    unreadable: dict[str, Unreadable] = {}
    for row in rows:
        name = name_of(row)
        try:
            wishes[name] = checked(parse_row(row, policy), statuses.get(name))
        except Exception as error:
            with about(deployment=name):
                logger.exception("the row of %s could not be read", name)
            unreadable[name] = Unreadable(id=name, why=fault(error), fault=True)
    return wishes, unreadable
