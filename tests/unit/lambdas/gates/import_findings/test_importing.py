"""The import of a report: what is refused is told and nothing is told twice as done; what fails can be done again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import pytest

from lambdas.common.clock import moment
from lambdas.common.errors import CapacityError, UnreadableError
from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.kept_report import Head, packed
from lambdas.gates.import_findings import handler as function
from lambdas.gates.import_findings.importing import Import
from lambdas.gates.model.asff import Hub
from lambdas.gates.store.security_hub import SecurityHub

HEAD = Head(
    gate="code",
    target="shop@refs/heads/main",
    created="2026-11-28T10:00:00.000+00:00",
    findings=2,
    complete=True,
    revision="abc",
)
A, B = (Finding(tool="bandit", rule=rule, title=rule, severity=Severity.HIGH) for rule in "AB")
KEY = HEAD.key("run-1")
NAME = f"granary:code:{HEAD.target}:"


@dataclass
class Aws:
    """All clients in one: a bucket with one report, a Security Hub, a bus and a queue."""

    report: bytes = field(default_factory=lambda: packed(HEAD, [A, B]))
    refused: dict[str, str] = field(default_factory=dict)
    down: bool = False
    now: str = "2026-11-29T10:00:00.000+00:00"
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": BytesIO(self.report)}

    def get_paginator(self, _operation: str) -> Aws:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Findings": list(self.found.values())}]

    def batch_import_findings(self, Findings: list[dict[str, Any]]) -> dict[str, Any]:
        failed = [one["Id"] for one in Findings if one["Id"] in self.refused]
        self.found |= {one["Id"]: one for one in Findings if one["Id"] not in failed}
        return {
            "FailedCount": len(failed),
            "FailedFindings": [{"Id": one, "ErrorCode": "InvalidInput", "ErrorMessage": "no"} for one in failed],
        }

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:
        if self.down:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorMessage": "down"}]}
        self.told += Entries
        return {"FailedEntryCount": 0}

    def send_message(self, MessageBody: str, **_: str) -> None:
        self.letters.append(json.loads(MessageBody))

    def run(self, key: str = KEY) -> dict[str, int]:
        hub = Hub(account="111111111111", region="eu-west-1", factory="granary")
        return Import(
            s3=self,
            hub=SecurityHub(client=self, hub=hub, pause=lambda _: pytest.fail("nothing is to wait for")),
            events=self,
            bus="granary-lifecycle",
            source="granary",
            sqs=self,
            letters="queue",
            clock=lambda: moment(self.now),
        ).run("reports", key)


def test_the_news_say_what_has_changed() -> None:
    aws = Aws()
    counts = {"new": 2, "updated": 0, "reopened": 0, "archived": 0, "refused": 0, "unread": 0}
    assert aws.run() == counts
    (told,) = aws.told
    assert (told["EventBusName"], told["Source"]) == ("granary-lifecycle", "granary")
    assert told["DetailType"] == "FindingsImported"
    assert json.loads(told["Detail"]) == {
        "gate": "code",
        "target": "shop@refs/heads/main",
        "revision": "abc",
        "deployment": "",
        "report": KEY,
        "complete": True,
        **counts,
    }
    assert aws.letters == []


def test_what_is_refused_is_not_counted_as_done_and_becomes_a_dead_letter() -> None:
    name = NAME + A.fingerprint
    aws = Aws(refused={name: "InvalidInput"})
    counts = aws.run()
    assert (counts["new"], counts["refused"]) == (1, 1)
    assert aws.letters == [{"bucket": "reports", "key": KEY, "refused": {name: "InvalidInput: no"}, "more": 0}]


def test_what_cannot_be_read_becomes_a_dead_letter_and_archives_nothing() -> None:
    aws = Aws()
    aws.run()
    aws.report = packed(replace(HEAD, created="2026-11-29T10:00:00.000+00:00"), [A])
    counts = aws.run()
    assert (counts["updated"], counts["archived"], counts["unread"]) == (1, 0, 1)
    assert json.loads(aws.told[-1]["Detail"])["complete"] is False
    assert aws.letters[0]["refused"] == {"end": "2 findings were written, and 1 are there"}


def test_news_that_the_bus_does_not_take_are_told_when_the_report_is_imported_again() -> None:
    aws = Aws(down=True)
    with pytest.raises(CapacityError, match="down"):
        aws.run()
    aws.down = False
    assert aws.run()["new"] == 2
    assert len(aws.found) == 2


def test_a_report_of_a_time_that_is_to_come_changes_nothing() -> None:
    """Given a build whose clock was wrong, then no report until then would count: Security Hub has a later one."""
    aws = Aws(report=packed(replace(HEAD, created="2099-01-01T00:00:00.000+00:00"), [A, B]))
    with pytest.raises(UnreadableError, match="which is to come: run the gate again"):
        aws.run()
    assert not aws.found
    aws.report = packed(replace(HEAD, created="2026-11-29T10:14:00.000+00:00"), [A, B])
    assert aws.run()["new"] == 2


def test_a_gate_imports_nothing_for_another() -> None:
    aws = Aws()
    with pytest.raises(UnreadableError, match="findings/shop@refs/heads/main/code/RUN"):
        aws.run(replace(HEAD, gate="secrets").key("run-1"))
    assert not aws.found


def test_the_event_names_the_report(sample: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    class Recorded:
        def run(self, bucket: str, key: str) -> dict[str, int]:
            asked.append((bucket, key))
            return {"new": 1}

    monkeypatch.setattr(function, "_import", Recorded)
    assert function.handler(sample("report_arrived"), None) == {"new": 1}
    assert asked == [("granary-reports-111111111111-eu-west-1", KEY)]
