"""Messages of S3: what they tell of, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import UnreadableError
from lambdas.lake.model.arrivals import arrivals
from tests.unit.lambdas.lake.arriving import body, record


def test_every_record_of_a_message_counts() -> None:
    told = arrivals(body(record("a/b.csv"), record("a/c.csv", "v2"), record("a/d.csv", event="ObjectRemoved:Delete")))
    assert [(one.object.key, one.object.version, one.day) for one in told] == [
        ("a/b.csv", "v1", "2026-11-28"),
        ("a/c.csv", "v2", "2026-11-28"),
    ]


@pytest.mark.parametrize("key", ["my file(a).csv", "a=1/b+c%3D.csv", "ä/é.csv", "no-slash", "x" * 1024])
def test_keys_are_decoded(key: str) -> None:
    (one,) = arrivals(body(record(key)))
    assert one.object.key == key


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_an_id_is_of_key_and_version(key: str, version: str) -> None:
    (one,) = arrivals(body(record(key, "v" + version)))
    (same,) = arrivals(body(record(key, "v" + version, sequencer="01")))
    (other,) = arrivals(body(record(key + "v", version + "-")))
    assert one.object.id == same.object.id != other.object.id


def test_the_test_of_a_queue_is_nothing() -> None:
    assert arrivals(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "raw"})) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"Records": 7}',
        '{"Records": [null]}',
        body(record("a", "")),
        body(record("a", "null")),
        body({**record("a"), "eventTime": "yesterday"}),
        body(record("a", size="many")),
        body(record("a")).replace('"a"', '"%ff"'),
        body(record("a", "\ud800")),
        "[" * 100_000,
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnreadableError, match="no message of S3"):
        arrivals(text)
