"""How many requests of Route 53 an account has here."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
from ministack.core.responses import request_scope

from local_cloud.route53 import changes
from local_cloud.server import faults

_accounts = itertools.count(700000000001)
Ask = Callable[[float], int]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Of 100 requests of an account, those that are taken so many seconds after the ones before."""
    account, now = str(next(_accounts)), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def ask(seconds: float) -> int:
        now[0] += seconds
        with request_scope(account, "us-east-1"):
            return sum(changes.throttled() is None for _ in range(100))

    return ask


def test_fifty_at_first_and_then_ten_a_second(taken: Ask) -> None:
    assert [taken(seconds) for seconds in (0, 1, 0.5, 0, 3600)] == [50, 10, 5, 0, 50]


def test_a_limit_that_was_lifted_leaves_no_debt(taken: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as lifted:
        lifted.setattr(faults.board, "setting", lambda *_: 0)
        assert taken(0) == 100
    assert taken(0) == 50
