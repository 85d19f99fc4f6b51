"""Whatever the tables, the release parameter and the streams hold, every reader reads it or says that it cannot."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.dynamodb.types import Binary
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.common.dynamo import read_item
from lambdas.common.errors import NotReleasedError, UnreadableError
from lambdas.common.versioned_json import plain
from lambdas.saas.lifecycle_publish.deployments import Factory
from lambdas.saas.lifecycle_publish.publish import Publisher
from lambdas.saas.model.catch_up import is_late
from lambdas.saas.model.component_stacks import after_claim, to_delete
from lambdas.saas.model.lifecycle import checked
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.model.status import Phase, Placement, StackRef, Status, Unreadable
from lambdas.saas.onboard.plan import looks
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.runs_table import RunsTable, kept_release
from lambdas.saas.sweep.decide import Round, decide
from lambdas.saas.sweep.fleet import fleet_metrics
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.strategies import POLICY, dynamo_values, items, records, rows

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
STACK = StackRef(kind="component", stack_id="arn:c", account="222222222222", region="eu-west-1")
STATUS = Status(
    id="acme",
    phase=Phase.ACTIVE,
    reason="why",
    type="silo",
    account="222222222222",
    region="eu-west-1",
    claimed_by="release/r",
    claim_expires_at=stamp(NOW),
    retry=True,
    attempts=3,
    updated_at=stamp(NOW),
    pending_since=stamp(NOW),
    pipeline_stack=STACK,
    component_stacks=(STACK,),
    former_stacks=(STACK,),
    placed=(Placement(type="silo", account="222222222222", region="eu-west-1"),),
    release_outcome="running",
    task_token="t",
    retire_after=stamp(NOW),
    archives=("a",),
    warnings=("w",),
    expires_at=7,
)
RUN = Run(run="r", revision="v", state="RUNNING", strategy="rings", rings=1, deployments=2, skipped_names=("a",))
RING = Ring(run="r", index=0, name="all", state="WAITING", total=2, concurrency=1, allowed_failures=0, bake_seconds=0)
KEPT = {"id": "release/v", "release": RELEASE.to_json(), "published_at": RELEASE.published_at}
FORCE = {"id": "current", "run": "r", "revision": "v", "published_at": RELEASE.published_at}


@dataclass
class OneItem:
    """A table that answers every read with the same item."""

    item: Mapping[str, Any]

    def get_item(self, **_request: Any) -> dict[str, Any]:
        return {"Item": self.item}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        return {"Responses": {name: [{**self.item, "id": {"S": "ring/r/0"}}] for name in RequestItems}}


@given(rows, st.one_of(st.none(), items(plain(STATUS))))
def test_every_row_and_status_is_read_and_what_was_read_can_be_decided_on(
    row: dict[str, Any], item: dict[str, Any] | None
) -> None:
    status = Status.from_item(read_item(item)) if item else None
    if isinstance(status, Unreadable):
        assert not status.fault, str(status)
        assert str(status).isprintable()
        return
    wish = checked(parse_row(row, POLICY), status)
    seen = Round(now=NOW, ended_builds=frozenset(), revision="v")
    for one in (wish, None, InvalidRow(id="acme", reasons=("no",))):
        decide(one, status, seen)
    fleet_metrics([status] if status else [], NOW)
    if status and isinstance(wish, DeploymentRecord):
        is_late(wish, status, revisions=("v",), runs=("r",), now=stamp(NOW))
        after_claim(wish, status)
        to_delete(status)


@given(st.one_of(items(plain(RUN)), items(plain(RING)), items(KEPT), items(FORCE)))
def test_every_item_of_the_releases_table_is_read_or_told(item: dict[str, Any]) -> None:
    table = RunsTable(client=OneItem(item), name="releases")
    for read in (
        table.current,
        lambda: table.run("r"),
        lambda: table.ring("r", 0),
        lambda: table.rings(RUN),
        lambda: table.release("v"),
    ):
        with suppress(UnreadableError):
            read()


texts: st.SearchStrategy[str] = st.one_of(
    st.text(),
    st.just("[" * 100_000),
    st.just("9" * 5_000),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*plain(RELEASE), "x"]), inner, max_size=6)
        ),
        max_leaves=6,
    ).map(json.dumps),
    st.builds(
        lambda name, value: json.dumps({**plain(RELEASE), name: value}),
        st.sampled_from([*plain(RELEASE), "contract"]),
        st.none() | st.floats() | st.integers() | st.text() | st.just([]) | st.just({}),
    ),
)


@dataclass
class OneParameter:
    """An SSM that answers with the same text."""

    text: str

    class exceptions:
        class ParameterNotFound(Exception):
            pass

    def get_parameter(self, **_request: Any) -> dict[str, Any]:
        return {"Parameter": {"Value": self.text}}


@given(texts)
def test_every_release_parameter_is_read_or_told(text: str) -> None:
    with suppress(NotReleasedError):
        assert isinstance(ReleaseParameter(client=OneParameter(text), name="/current").current(), Release)


@dataclass
class Bus:
    """Takes everything that an event may be; who could read a run or its rings finds none."""

    sent: list[Mapping[str, str]] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    def put_events(self, *, Entries: list[Mapping[str, str]]) -> dict[str, Any]:
        assert sum(len(entry["Detail"].encode()) for entry in Entries) < 250_000
        self.sent += Entries
        return {"FailedEntryCount": 0}

    def run(self, _run: str) -> None:
        return None

    def ring(self, _run: str, _index: int) -> None:
        return None

    def publisher(self) -> Publisher:
        factory = Factory(region="eu-west-1", retire_removed=True)
        return Publisher(
            client=self,
            bus="bus",
            source="granary",
            releases_table="releases",
            factory=factory,
            runs=self,
            dead_letter=lambda _record, reason: self.dead.append(reason),
        )


images = st.one_of(items(plain(STATUS)), items({"id": "run/r", **plain(RUN)}), items({"id": "ring/r/0", **plain(RING)}))
anything = st.recursive(
    st.none() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["dynamodb", "Keys", "NewImage", "id", "S", "SequenceNumber"]), inner)
    ),
    max_leaves=5,
)
keys = st.sampled_from(["Keys", "NewImage", "OldImage", "SequenceNumber"])
changes = st.builds(
    lambda old, new, wrong: {"SequenceNumber": "1", **old, **new, **wrong},
    st.one_of(st.just({}), images.map(lambda image: {"OldImage": image})),
    st.one_of(st.just({}), images.map(lambda image: {"NewImage": image})),
    st.one_of(st.just({}), st.dictionaries(keys, anything, max_size=1)),
)
stream_records = st.one_of(
    st.builds(
        lambda change, table: {"dynamodb": change, "eventSourceARN": f"arn:aws:dynamodb:x:1:table/{table}/stream/1"},
        changes,
        st.sampled_from(["releases", "statuses"]),
    ),
    st.dictionaries(st.sampled_from(["dynamodb", "eventName", "eventSourceARN"]), anything),
)


@given(st.lists(stream_records, max_size=3))
def test_every_stream_record_is_published_or_a_dead_letter(batch: list[dict[str, Any]]) -> None:
    good = {
        "dynamodb": {"SequenceNumber": "9", "NewImage": {"id": {"S": "good"}, "phase": {"S": "ACTIVE"}}},
        "eventSourceARN": "arn:aws:dynamodb:x:1:table/statuses/stream/1",
    }
    bus = Bus()
    assert bus.publisher().handle([*batch, good]) == []
    assert json.loads(bus.sent[-1]["Detail"])["id"] == "good"


@given(st.lists(st.one_of(stream_records, anything), max_size=3))
def test_every_stream_record_names_a_deployment_or_none(batch: list[Any]) -> None:
    good = {"eventName": "INSERT", "dynamodb": {"Keys": {"id": {"S": "good"}}, "SequenceNumber": "9"}}
    assert looks([*batch, good])[-1].id in ("good", *(look.id for look in looks(batch)))


@given(dynamo_values)
def test_a_binary_of_a_streams_json_is_read(value: dict[str, Any]) -> None:
    """Given an image as Lambda hands it on, whose binaries are texts, then it is what boto3 would read."""
    assert read_item({"it": as_json(value)}) == read_item({"it": value})


def as_json(value: Any) -> Any:
    """A value of DynamoDB's as its JSON has it, whose binaries are in base64."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return {name: as_json(one) for name, one in value.items()} if isinstance(value, dict) else value


def test_an_id_of_another_type_is_no_id() -> None:
    assert Status.from_item(read_item({"id": {"B": b"x"}})) == Unreadable(id="", why="id: Binary(b'x') is no str")


@given(records, st.sampled_from(sorted(plain(STATUS))), dynamo_values)
def test_a_status_that_is_readable_has_what_was_written(record: DeploymentRecord, name: str, value: Any) -> None:
    """Given one attribute of any type, then the status is unreadable by that name, or all others are as they were."""
    item = {**plain(STATUS), "id": record.id, **read_item({name: value})}
    found = Status.from_item(item)
    if isinstance(found, Unreadable):
        assert found.why.startswith(f"{name}: ")
        assert len(found.why) < 200
    else:
        same = {one: getattr(found, one) for one in plain(STATUS) if one not in (name, "id")}
        assert same == {one: getattr(STATUS, one) for one in same}


@pytest.mark.parametrize("value", [Binary(b"J"), 5, None, {"x"}, ["x"], {"S": "x"}])
def test_a_kept_release_that_is_no_text_is_told(value: object) -> None:
    with pytest.raises(ValueError, match="release is no str"):
        kept_release({"id": "release/1", "release": value})
