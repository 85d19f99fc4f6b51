"""The function that writes what people are told."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.lake.tell.handler import handler


def test_it_takes_a_state_of_the_machine(give_settings: Callable[..., None]) -> None:
    give_settings({"PLANS_BUCKET": "plans"})
    state = {"account": "2", "region": "eu-west-1", "loop": {"round": 0}, "error": {"Error": "a", "Cause": "no way"}}
    told = handler(state, None)
    assert set(told) == {"message", "notification"}
    assert "no way" in told["message"]
