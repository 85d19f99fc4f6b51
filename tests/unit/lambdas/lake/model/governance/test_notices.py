"""What people are told of a run of governance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.lake.model.governance.notices import notice

_DIGEST = "ab" * 32
_PLANNED = {"plan": _DIGEST, "approvals": [], "unseen": [], "refused": 0}


def _told(**state: Any) -> tuple[str, str, str]:
    """The mail, and title and text in chat."""
    told = notice({"account": "222222222222", "region": "eu-west-1", **state}, bucket="plans")
    notification = told["notification"]
    assert (notification["version"], notification["source"]) == ("1.0", "custom")
    return told["message"], notification["content"]["title"], notification["content"]["description"]


def test_a_plan_that_waits_is_told_with_its_page_and_the_command() -> None:
    for text in _told(planned={**_PLANNED, "approvals": ["analyst gains personal data of class contact"]})[::2]:
        assert "analyst gains personal data of class contact" in text
        assert f"granary lake apply {_DIGEST}" in text
        assert f"s3://plans/plans/222222222222/eu-west-1/{_DIGEST}.md" in text


@pytest.mark.parametrize(
    ("planned", "title"),
    [
        ({"refused": 3}, "3 refused"),
        ({"unseen": ["make it a read-only administrator"]}, "not everything could be looked at, so nothing is revoked"),
        ({"refused": 1, "approvals": ["a"]}, "a plan waits for approval, 1 refused"),
    ],
)
def test_the_title_says_what_it_is_about(planned: dict[str, Any], title: str) -> None:
    message, shown, _ = _told(planned={**_PLANNED, **planned})
    assert shown == f"Permissions of the lake in 222222222222, eu-west-1: {title}"
    assert message.startswith(f"{shown}. ")


def test_nothing_is_to_be_applied_by_hand_that_waits_for_nobody() -> None:
    assert "granary lake apply" not in _told(planned={**_PLANNED, "refused": 1})[0]


@pytest.mark.parametrize("planned", [{}, {"planned": {"plan": _DIGEST}}])
def test_a_failure_is_told_with_its_reason_whatever_was_planned(planned: dict[str, Any]) -> None:
    cause = json.dumps({"errorMessage": "role x cannot be assumed", "errorType": "GranaryError", "stackTrace": ["l"]})
    message, title, text = _told(error={"Error": "GranaryError", "Cause": cause}, **planned)
    assert title.endswith(": FAILED")
    assert "role x cannot be assumed" in message
    assert "role x cannot be assumed" in text
    assert "stackTrace" not in message
    assert (_DIGEST in message) is bool(planned)


def test_nobody_waits_for_the_next_run_to_write_a_report() -> None:
    error = {"Error": "GranaryError", "Cause": "no"}
    assert "start the state machine again with the same input" in _told(error=error, report="last")[0]
    assert "within the hour" in _told(error=error)[0]


def test_what_was_not_done_is_told_with_the_first_reasons() -> None:
    failed = [f"table {number}: no" for number in range(12)]
    message, _, text = _told(
        error={"Error": "Lake.NotAll", "Cause": "12 steps are left"}, applied={"failed": failed, "left": 12}
    )
    assert "12 steps are left" in message
    assert "table 9: no" in message
    assert "and 2 more" in text
    assert "table 10" not in text


def test_what_is_quoted_calls_nobody_and_breaks_no_mail() -> None:
    message, _, text = _told(planned={**_PLANNED, "unseen": ['<!channel> [a](https://x) *b* "c"\n\x1b[1m']})
    assert "\n" not in message
    assert '"' not in message
    assert "\\" not in message
    assert not set("<>[]*`\x1b").intersection(text)


def test_it_stays_within_what_a_message_may_have() -> None:
    message, title, text = _told(planned={**_PLANNED, "unseen": ["x" * 10_000] * 20})
    assert len(message) < 5_000
    assert len(text) < 5_000
    assert len(title) < 250
