"""The functions of the release machine, from their environment to the tables; and the machine's definition."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import boto3
import pytest

from constructs_lib.saas.release_states import ReleaseStates
from lambdas.common import clients
from lambdas.common.errors import GranaryError
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import RingState, RunState, ring_id, run_id
from lambdas.saas.release import handler as release
from lambdas.saas.release_advance import handler as advance
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import StatusTable
from tests.unit.lambdas.saas.fakes import RELEASE, START
from tests.unit.lambdas.saas.release.world import POLICY, TARGETS, provisioned, release_of, row
from tests.unit.lambdas.saas.release_fakes import FakeTokens

HOME = "eu-west-1"
RUN = "rev1-11111111"


@pytest.fixture
def tables(
    make_table: Callable[[str], Any], give_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The tables and buckets that the functions read their names of."""
    monkeypatch.setattr(release, "standing_pipelines", lambda _client: {"silo-acme-pipeline"})
    for table in ("deployments", "statuses"):
        make_table(table)
    client = make_table("releases")
    s3 = boto3.client("s3", region_name=HOME)
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    environment = {
        "DEPLOYMENTS_TABLE": "deployments",
        "STATUS_TABLE": "statuses",
        "RELEASES_TABLE": "releases",
        "RELEASES_BUCKET": "bucket",
        "RELEASE_PARAMETER": "/granary/release/current",
        "PIPELINE_TIMEOUT_MINUTES": "60",
    }
    give_settings(environment, release_policy=POLICY.to_json(), target_policy=TARGETS.to_json())
    cached = (release._runs, release._statuses, release._shelf, release._beginning, release._progress, advance._turns)
    for one in (*cached, clients.client):
        one.cache_clear()
    yield client
    for one in (*cached, clients.client):
        one.cache_clear()


def publish() -> dict[str, Any]:
    s3 = boto3.client("s3", region_name=HOME)
    new = replace(release_of(1), sha256=hashlib.sha256(b"zip").hexdigest())
    if s3.list_objects_v2(Bucket="bucket", Prefix=new.key)["KeyCount"] == 0:
        s3.put_object(Bucket="bucket", Key=new.key, Body=b"zip", Metadata=new.metadata)
    return {**asdict(new), "version_id": s3.head_object(Bucket="bucket", Key=new.key)["VersionId"]}


def begin(**changes: Any) -> dict[str, object]:
    event = {"op": "begin", "run": RUN, "execution": "arn:e", "release": publish(), "resumes": ""}
    return release.handler({**event, **changes}, None)


def everything_written(client: Any) -> tuple[Any, Any]:
    """All items of the releases table but the forged run's, and all objects of the bucket."""
    objects = boto3.client("s3", region_name=HOME).list_objects_v2(Bucket="bucket")["Contents"]
    items = [one for one in client.scan(TableName="releases")["Items"] if one["id"]["S"] != "run/forged"]
    return items, [one["Key"] for one in objects]


def settle(client: Any) -> None:
    client.put_item(TableName="deployments", Item={name: {"S": value} for name, value in row("acme").items()})
    status = provisioned("acme")
    stack = asdict(status.pipeline_stack) if status.pipeline_stack else {}
    item = {"id": "acme", "phase": "ACTIVE", "type": "silo", "revision_deployed": "old"}
    client.put_item(
        TableName="statuses",
        Item={
            **{name: {"S": value} for name, value in item.items()},
            "pipeline_stack": {"M": {name: {"S": value} for name, value in stack.items()}},
        },
    )


def test_lines_of_the_log_name_the_run_and_the_deployment(
    tables: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="lambdas")
    monkeypatch.setattr(advance, "StepFunctionsTokens", lambda client: FakeTokens())
    settle(tables)
    begin()
    release.handler({"op": "next", "run": RUN, "action": "begin", "ring": -1, "answer": {}}, None)
    assert {vars(line)["run"] for line in caplog.records} == {RUN}
    caplog.clear()
    item = {"id": "acme", "type": "silo"}
    advance.handler({"op": "advance", "run": RUN, "ring": 0, "item": item, "token": "secret"}, None)
    assert {(vars(line)["run"], vars(line)["deployment"]) for line in caplog.records} == {(RUN, "acme")}
    assert "secret" not in str([vars(line) for line in caplog.records])


def test_an_empty_fleet_is_through_in_two_steps(tables: Any) -> None:
    assert begin() == {"action": "begin", "ring": -1, "answer": {}}
    answer = release.handler({"op": "next", "run": RUN, "action": "begin", "ring": -1, "answer": {}}, None)
    assert answer["action"] == "finish"
    assert set(answer) == {"action", "ring", "concurrency", "items_key", "seconds", "reason", "answer"}
    run = RunsTable(client=tables, name="releases").run(RUN)
    assert run
    assert (run.state, run.execution) == (RunState.SUCCEEDED, "arn:e")
    current = boto3.client("ssm", region_name=HOME).get_parameter(Name="/granary/release/current")
    assert json.loads(current["Parameter"]["Value"])["revision"] == "rev1"


def test_a_deployment_is_moved(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(tables)
    begin()
    answer = release.handler({"op": "next", "run": RUN, "action": "begin", "ring": -1, "answer": {}}, None)
    assert (answer["action"], answer["ring"], answer["concurrency"]) == ("advance", 0, 2)
    items = boto3.client("s3", region_name=HOME).get_object(Bucket="bucket", Key=answer["items_key"])["Body"].read()
    (item,) = json.loads(items)
    tokens = FakeTokens()
    monkeypatch.setattr(advance, "StepFunctionsTokens", lambda client: tokens)
    event = {"op": "advance", "run": RUN, "ring": 0, "item": item, "token": "t"}
    # moto has no such pipeline, and says so: the deployment is left out, and counted.
    assert advance.handler(event, None) == {"outcome": "skipped", "count": 1}
    assert tokens.of("t") == [{"outcome": "skipped", "count": 1}]
    status = StatusTable(client=tables, name="statuses").get("acme")
    assert status
    assert (status.phase, status.claimed_by, status.task_token) == ("FAILED", "", "")
    copied = boto3.client("s3", region_name=HOME).get_object(Bucket="bucket", Key="tenants/silo-acme/source.zip")
    assert copied["Body"].read() == b"zip"
    ring = tables.get_item(TableName="releases", Key={"id": {"S": ring_id(RUN, 0)}})["Item"]
    assert ring["skipped"] == {"N": "1"}
    given_up = advance.handler({**event, "op": "give_up", "error": {"Error": "States.Timeout", "Cause": ""}}, None)
    assert given_up["outcome"] == "skipped"


def test_a_run_whose_machine_breaks_is_stopped(tables: Any) -> None:
    begin()
    broken = {"op": "broken", "run": RUN, "execution": "arn:e", "input": {}, "error": {"Error": "E", "Cause": "why"}}
    release.handler(broken, None)
    item = tables.get_item(TableName="releases", Key={"id": {"S": run_id(RUN)}})["Item"]
    assert item["state"] == {"S": "STOPPED"}
    assert item["reason"] == {"S": "the state machine could not go on: E: why"}


@pytest.mark.parametrize(("given", "bakes"), [({}, True), ({"catch_up": True}, False)])
def test_a_run_catches_up_only_if_its_input_says_so(
    tables: Any, give_settings: Callable[..., None], given: dict[str, Any], bakes: bool
) -> None:
    """Given a first run that is through, then a run that catches up does not bake, and any other one does."""
    give_settings({}, release_policy=ReleasePolicy(rings=(RingPolicy(name="all", bake_minutes=5),)).to_json())
    settle(tables)
    begin()
    runs = RunsTable(client=tables, name="releases")
    assert runs.end(RUN, state=RunState.SUCCEEDED, reason="", now=START)
    begin(run="again", resumes=RUN, input=given)
    ring = runs.ring("again", 0)
    assert ring
    assert (ring.total, bool(ring.bake_seconds)) == (1, bakes)


def test_a_run_that_never_began_can_be_seen(tables: Any) -> None:
    with pytest.raises(GranaryError, match="no release"):
        begin(release={"revision": "rev1"})
    error = {"Error": "GranaryError", "Cause": "no release"}
    broken = {"op": "broken", "run": RUN, "execution": "arn:e", "input": {"release": {"revision": "rev1"}}}
    release.handler({**broken, "error": error}, None)
    run = RunsTable(client=tables, name="releases").run(RUN)
    assert run
    assert (run.state, run.revision, run.rings) == (RunState.STOPPED, "rev1", 0)


FORGED = {
    "another version": (
        {"version_id": "another-version"},
        "version another-version of releases/rev1/source.zip is not",
    ),
    "never published": ({"revision": "x", "key": "releases/x/source.zip"}, " of releases/x/source.zip is not in the "),
    "another object": ({"key": "tenants/silo-acme/source.zip"}, "its object is tenants/silo-acme/source.zip"),
    "other bytes": ({"sha256": "0" * 64}, "the sha256 of its object is "),
    "another time": ({"published_at": "9999-01-01"}, "for granary-published-at, not 9999-01-01"),
    "another contract": (
        {"contract": CONTRACT + 1},
        f"its object says {CONTRACT} for granary-contract, not {CONTRACT + 1}",
    ),
}


@pytest.mark.parametrize(("forged", "why"), FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("released", [True, False])
def test_a_start_that_is_refused_damages_nothing(tables: Any, forged: dict[str, Any], why: str, released: bool) -> None:
    """Given who may only start executions, then what they say of a release changes nothing but their own run."""
    settle(tables)
    genuine = publish()
    if released:
        begin()
    before = everything_written(tables)
    given = {**genuine, **forged}
    begin(run="forged", release=given)
    broken = {"op": "broken", "run": "forged", "execution": "arn:e", "input": {"release": given}}
    release.handler({**broken, "error": {}}, None)
    assert everything_written(tables) == before
    run = RunsTable(client=tables, name="releases").run("forged")
    assert run
    assert (run.state, run.rings) == (RunState.STOPPED, 0)
    assert run.reason.startswith(f"release {run.revision} is refused: ")
    assert why in run.reason
    answer = release.handler({"op": "next", "run": "forged", "action": "begin", "ring": -1, "answer": {}}, None)
    assert (answer["action"], answer["reason"]) == ("stop", run.reason)


def test_what_is_kept_of_a_release_says_what_is_deployed(tables: Any) -> None:
    begin()
    item = tables.get_item(TableName="releases", Key={"id": {"S": "release/rev1"}})["Item"]
    statement, genuine = json.loads(item["bundle"]["S"]), publish()
    assert statement["subject"] == [{"name": genuine["key"], "digest": {"sha256": genuine["sha256"]}}]
    assert statement["_type"].startswith("https://in-toto.io/Statement/")
    source = {"bucket": "bucket", "key": genuine["key"], "version_id": genuine["version_id"]}
    assert statement["predicate"]["source"] == source


def test_the_token_of_an_approval_is_kept_while_somebody_waits_for_it(
    tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(tables)
    begin()
    runs = RunsTable(client=tables, name="releases")
    tokens = FakeTokens()
    monkeypatch.setattr(release, "_tokens", lambda: tokens)
    ask = {"op": "ask", "run": RUN, "ring": 0, "token": "t"}
    release.handler(ask, None)
    ring = runs.ring(RUN, 0)
    assert ring
    assert ring.approval_token == "", "it does not wait"
    assert tokens.of("t") == [{"Error": "NotAsked", "Cause": "ring 0 does not wait for an approval"}]

    assert runs.turn(ring, to=RingState.APPROVAL, now=START)
    release.handler({**ask, "token": "t2"}, None)
    waiting = runs.ring(RUN, 0)
    assert waiting
    assert (waiting.approval_token, tokens.of("t2")) == ("t2", [])

    newer = replace(RELEASE, published_at="9999")
    assert runs.take_over("newer", release=newer, resumes="", now=START)
    release.handler({**ask, "token": "t3"}, None)
    assert tokens.of("t3") == [{"Error": "Superseded", "Cause": "superseded by run newer"}]


@pytest.mark.parametrize("handler", [release.handler, advance.handler])
def test_an_unknown_operation_is_refused(tables: Any, handler: Callable[..., Any]) -> None:
    with pytest.raises(GranaryError, match="knows no operation 'dance'"):
        handler({"op": "dance", "run": RUN, "ring": 0, "item": {"id": "a", "type": "silo"}}, None)


def test_every_state_is_reached_and_leads_somewhere() -> None:
    machine = ReleaseStates(release="r", advance="a", bucket="b", pipeline_timeout_seconds=60).definition()
    states = machine["States"]
    seen, ahead = set(), [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        state = states[name]
        ahead += [one["Next"] for one in (*state.get("Catch", ()), *state.get("Choices", ()))]
        ahead += [state[key] for key in ("Next", "Default") if key in state]
    assert seen == set(states)


def test_the_machine_hands_on_what_the_functions_read() -> None:
    """Each operation that the definition names is one that a function knows, with all that it reads."""
    text = json.dumps(ReleaseStates(release="r", advance="a", bucket="b", pipeline_timeout_seconds=60).definition())
    for needed in (
        {"op": "begin", "run.$": "", "execution.$": "", "release.$": "", "resumes.$": "", "input.$": ""},
        {"op": "next", "run.$": "", "action.$": "", "ring.$": "", "answer.$": ""},
        {"op": "ask", "run.$": "", "ring.$": "", "token.$": ""},
        {"op": "broken", "run.$": "", "execution.$": "", "input.$": "", "error.$": ""},
        {"op": "advance", "run.$": "", "ring.$": "", "item.$": "", "token.$": ""},
        {"op": "roll_back", "run.$": "", "ring.$": "", "item.$": "", "token.$": ""},
        {"op": "give_up", "run.$": "", "ring.$": "", "item.$": "", "error.$": ""},
    ):
        payloads = [json.loads(part) for part in _payloads(text) if json.loads(part)["op"] == needed["op"]]
        assert payloads
        assert all(set(payload) == set(needed) for payload in payloads), needed["op"]


def _payloads(text: str) -> list[str]:
    found, decoder = [], json.JSONDecoder()
    start = text.find('"Payload": ')
    while start >= 0:
        payload, _ = decoder.raw_decode(text, start + len('"Payload": '))
        found.append(json.dumps(payload))
        start = text.find('"Payload": ', start + 1)
    return found
