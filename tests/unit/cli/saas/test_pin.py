"""`pin`, `unpin` and `release --only`: what they say first, and what they write."""

from __future__ import annotations

import hashlib
import json

import boto3
import pytest

from lambdas.saas.model.contract import CONTRACT, MINIMUM
from lambdas.saas.model.releases import Release
from tests.unit.cli.saas.factory import ACCOUNT, NAMES, REGION, Factory

BUCKET = NAMES.releases_bucket(ACCOUNT, REGION)
OLD, NEW = "4f2c9d1aaaa", "4f2c9d1bbbb"
REASON = "the new one breaks their import"
LATER = "2999-01-07T08:00:00Z"


@pytest.fixture(autouse=True)
def _published(factory: Factory) -> None:
    """Two releases of which the second was never started, and one tenant that stands at the first."""
    factory.runs.keep(publish(OLD, hour=8))
    publish(NEW, hour=9)
    factory.row(note="kept")
    factory.status(revision_deployed=OLD, revision_wanted=OLD)


def publish(revision: str, *, hour: int, contract: int = CONTRACT) -> Release:
    body = revision.encode()
    release = Release(
        revision=revision,
        key=f"releases/{revision}/source.zip",
        version_id="",
        sha256=hashlib.sha256(body).hexdigest(),
        published_at=f"2026-11-25T{hour:02}:00:00.000+00:00",
        contract=contract,
    )
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=BUCKET, Key=release.key, Body=body, Metadata=release.metadata)
    return release


def test_it_is_told_first_and_then_written(factory: Factory) -> None:
    before = factory.read_row()
    words = ("pin", "acme", NEW, "--reason", REASON, "--until", LATER)
    asked = factory.granary(*words)
    assert (asked.code, factory.read_row()) == (2, before)
    assert f"acme: is taken forwards from {OLD} to {NEW}" in asked.stderr.replace("\n", " ")
    done = factory.granary(*words, "--yes", "--json")
    assert done.document == {"ids": ["acme"], "revision": NEW, "reason": REASON, "until": LATER}
    row = factory.read_row() or {}
    assert row.pop("revision_by")
    assert row == {**(before or {}), "revision": NEW, "revision_reason": REASON, "revision_until": LATER}


@pytest.mark.parametrize(("revision", "told"), [(OLD, True), (NEW, False)])
def test_who_pins_back_over_a_forward_only_task_is_told(factory: Factory, revision: str, *, told: bool) -> None:
    factory.runs.keep(publish(NEW, hour=9))
    mark = {"task": "task Migrate (before silo-acme-resources)", "execution": "e", "revision": NEW, "before": OLD}
    factory.status(revision_deployed=NEW, revision_wanted=NEW, forward_only=mark)
    asked = " ".join(factory.granary("pin", "acme", revision, "--reason", REASON).stderr.split())
    words = f"acme: {mark['task']} of release {NEW} is forward-only and has run: see first whether {OLD}, and its tasks"
    assert (words in asked) is told
    blind = factory.granary("pin", "acme", revision, "--reason", REASON, "--yes")
    assert (blind.code, (factory.read_row() or {}).get("revision")) == ((5, None) if told else (0, revision))
    assert (words in blind.stderr) is told
    assert factory.granary("pin", "acme", revision, "--reason", REASON, "--yes", "--back").code == 0
    assert (factory.read_row() or {})["revision"] == revision


def test_a_new_pin_leaves_nothing_of_the_last(factory: Factory) -> None:
    factory.row(revision=OLD, revision_until=LATER)
    done = factory.granary("pin", "acme", NEW, "--reason", "r", "--yes")
    assert done.code == 0, done.stderr
    assert "revision_until" not in (factory.read_row() or {})


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("4f2c9d1b", 0, ""),
        ("4f2c9d1", 5, "2 releases"),
        ("s", 3, "no release is published"),
        ("c0ffee", 3, "no release is published"),
    ],
)
def test_the_beginning_of_a_revision_is_enough_if_it_is_one(factory: Factory, text: str, code: int, words: str) -> None:
    answer = factory.granary("pin", "acme", text, "--reason", "r", "--yes")
    assert answer.code == code, answer.stderr
    assert words in answer.stderr
    assert (factory.read_row() or {}).get("revision") == (None if code else NEW)


@pytest.mark.parametrize(
    ("row", "until", "words"),
    [
        ({"state": "retired"}, LATER, "granary activate"),
        ({}, "tomorrow", "revision_until"),
        ({"region": "mars-1"}, LATER, "mars-1"),
        ({"standby_region": "us-east-1"}, LATER, "knows no standby_region"),
    ],
)
def test_what_would_not_hold_is_not_written(factory: Factory, row: dict[str, str], until: str, words: str) -> None:
    publish("0ld", hour=7, contract=MINIMUM)
    known = factory.row(**row)
    answer = factory.granary("pin", "acme", "0ld", "--reason", "r", "--until", until, "--yes")
    assert answer.code == 5
    assert words in answer.stderr.replace("\n", " ")
    assert factory.read_row() == known


def test_without_a_row_nothing_is_pinned(factory: Factory) -> None:
    factory.status("gone")
    assert factory.granary("pin", "gone", NEW, "--reason", "r", "--yes").code == 5
    assert factory.read_row("gone") is None


def test_unpin_takes_all_of_it_out(factory: Factory) -> None:
    before = factory.read_row()
    assert factory.granary("unpin", "acme", "--yes").code == 5
    assert factory.granary("pin", "acme", OLD, "--reason", "r", "--until", LATER, "--yes").code == 0
    done = factory.granary("unpin", "acme", "--yes")
    assert (done.code, factory.read_row()) == (0, before), done.stderr


def test_list_and_status_show_it(factory: Factory) -> None:
    factory.row(revision=OLD, revision_reason=REASON, revision_by="anna", revision_until=LATER)
    factory.status(revision_deployed=OLD, pinned=OLD, pinned_at="2026-11-24T10:00:00.000+00:00")
    factory.row("over", revision=OLD, revision_until="2026-11-24T10:00:00Z")
    acme, over = factory.granary("list").stdout.splitlines()[1:]
    assert f" {OLD} " in acme
    assert OLD not in over
    told = next(line for line in factory.granary("status", "acme").stdout.splitlines() if line.startswith("pin: "))
    assert told.startswith(f"pin: {OLD}, for ")
    assert told.endswith(f", until {LATER}, by anna: {REASON}")
    assert "which is over" in factory.granary("status", "over").stdout
    assert f"its row pins {OLD}" in factory.granary("plan", "release", "--revision", NEW).stdout


def test_a_pin_that_cannot_be_placed_is_a_problem_of_the_row(factory: Factory) -> None:
    factory.row(revision="nowhere")
    told = factory.granary("status", "acme", "--json").document
    assert (told["wrong"], len(told["problems"])) == (True, 1)
    assert "nowhere is not published" in told["next_step"]


def test_a_release_that_was_only_published_is_started_by_its_name(factory: Factory) -> None:
    machine = factory.machine(NAMES.release_machine)
    answer = factory.granary("release", "--start", NEW, "--no-follow")
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{NAMES.release_machine}"
    (execution,) = machine.list_executions(stateMachineArn=arn)["executions"]
    given = json.loads(machine.describe_execution(executionArn=execution["executionArn"])["input"])
    assert given["release"]["revision"] == NEW, answer.stderr


def test_a_release_to_some_alone_pins_them(factory: Factory) -> None:
    factory.row("other")
    factory.row("third")
    answer = factory.granary("release", "--only", "acme,other", "--start", NEW, "--yes")
    assert answer.code == 0, answer.stderr
    pinned = [(factory.read_row(name) or {}).get("revision") for name in ("acme", "other", "third")]
    assert pinned == [NEW, NEW, None]
