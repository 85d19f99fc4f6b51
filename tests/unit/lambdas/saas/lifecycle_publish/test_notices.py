"""What people are told, in the forms of e-mail and of chat."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.lifecycle_publish.deployments import Factory, deployment_events
from lambdas.saas.lifecycle_publish.notices import Notice

_texts = st.text(max_size=400)
_notices = st.builds(
    Notice,
    title=_texts,
    facts=st.dictionaries(st.sampled_from(["Type", "Account", "Region"]), _texts),
    quote=st.one_of(_texts, st.just("x" * 9_000), st.just("<!here> ``` [a](b) " * 90)),
    link=_texts,
    next_step=_texts,
    thread=_texts,
    keywords=st.lists(_texts, max_size=3).map(tuple),
)


def test_one_notice_in_both_forms() -> None:
    notice = Notice(
        title="Deployment acme is FAILED",
        facts={"Account": "222222222222", "Region": ""},
        quote="line one\nline two",
        link="https://console/e",
        next_step="Correct it.",
        thread="deployment/acme",
        keywords=("FAILED",),
    )
    assert notice.told() == {
        "message": (
            "Deployment acme is FAILED (Account 222222222222). Reason: line one line two. Next step: Correct it. "
            "https://console/e"
        ),
        "notification": {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": "Deployment acme is FAILED",
                "description": "*Account*: 222222222222\n```\nline one\nline two\n```\nhttps://console/e",
                "nextSteps": ["Correct it."],
                "keywords": ["FAILED"],
            },
            "metadata": {"threadId": "deployment/acme", "summary": "Deployment acme is FAILED"},
        },
    }


def test_a_long_reason_does_not_cut_off_what_to_do() -> None:
    notice = Notice(
        title="Deployment acme is FAILED",
        facts={},
        quote="x" * 9_000,
        link="https://console/e",
        next_step="Correct it.",
        thread="deployment/acme",
    )
    assert str(notice.told()["message"]).endswith("xxx.... Next step: Correct it. https://console/e")


@given(_notices)
def test_the_forms_keep_their_limits(notice: Notice) -> None:
    told = notice.told()
    content = told["notification"]["content"]
    assert len(told["message"]) <= 2_000
    assert "\n" not in told["message"]
    assert len(content["title"]) <= 450
    assert len(content["description"]) <= 3_000
    assert json.loads(json.dumps(told)) == told


@given(_notices)
def test_what_is_quoted_calls_nobody_and_hides_no_link(notice: Notice) -> None:
    content = notice.told()["notification"]["content"]
    shown = "\n".join([content["title"], content["description"], *content["keywords"]])
    assert "<" not in shown
    assert ">" not in shown
    # The only code fence is our own: nothing quoted ends it.
    assert content["description"].count("`") in (0, 6)


def test_what_a_terminal_or_a_chat_would_obey_reaches_nobody() -> None:
    """Given an id and a reason with escapes and a call to a channel, then every part of the notice is harmless."""
    nasty = "\x1b[31m\x9b\u202e\u2066\x7f <!channel>"
    new = {"id": nasty, "phase": "FAILED", "reason": nasty, "account": nasty, "warnings": [nasty]}
    (event,) = deployment_events(None, new, factory=Factory(region="eu-west-1", retire_removed=False))
    content = event.detail["notification"]["content"]
    texts = [content["title"], content["description"], *content["nextSteps"], *content["keywords"]]
    for text in (*texts, event.detail["message"], event.detail["id"], event.detail["next_step"]):
        assert not any(letter in text for letter in "\x1b\x9b\u202e\u2066\x7f")
    assert not any("<!channel>" in text for text in texts)
    assert "granary retry" in content["nextSteps"][0]
