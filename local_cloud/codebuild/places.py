"""How many builds of one type and size an account runs in a Region at a time, and how many more wait for a place.

https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region

from local_cloud.server import faults

Kind = tuple[str, str, str, str]

DEFAULT_LIMIT = 60
# The queue's size, in times of the limit.
_QUEUE = 5

_lock = threading.Lock()
_running: Counter[Kind] = Counter()


def kind_of(build: Mapping[str, Any]) -> Kind:
    """What a build or a project of the caller's account and Region shares its limit with."""
    environment = build["environment"]
    return get_account_id(), get_region(), str(environment["type"]), str(environment["computeType"])


def queue() -> int:
    """How many builds of one kind may wait."""
    return _QUEUE * _limit()


def is_full(known: int) -> bool:
    """Whether no further build is admitted when so many of its kind are not complete."""
    return known >= _limit() + queue()


def enter(kind: Kind) -> bool:
    """Take a place, if one is free."""
    with _lock:
        if _running[kind] >= _limit():
            return False
        _running[kind] += 1
        return True


def leave(kind: Kind) -> None:
    """Give a place back."""
    with _lock:
        _running[kind] -= 1


def _limit() -> int:
    setting = faults.board.setting("codebuild", "account_limit")
    return DEFAULT_LIMIT if setting is None else int(setting)
