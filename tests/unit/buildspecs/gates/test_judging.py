"""What gates leave behind in CI/CD: a verdict, the findings, an event, and a build that goes on or does not."""

from __future__ import annotations

import gzip
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from buildspecs.gates import judging as subject
from buildspecs.gates.judging import Judging, configured, run_gates, source_subject
from config.loader import load
from config.models import Configuration
from lambdas.common.evidence.finding import Finding, Package, Place, Severity
from lambdas.common.evidence.kept_report import Head
from lambdas.common.evidence.verdict import Outcome, Verdict
from lambdas.common.names import Names
from lambdas.gates.model.exceptions import Exception_
from lambdas.gates.model.gate import Gate, Ran, Scanned, Scope, Word, decide
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.scanner import Trouble
from tests.unit.config.files import write

_NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
_DIGEST = "a" * 64
GATE = Gate(name="secrets", scanner="kingfisher", valid_days=30)
SECRET = Finding(
    tool="kingfisher", rule="aws", title="An AWS key", severity=Severity.HIGH, place=Place(path="a.py", line=1)
)


@dataclass
class Bus:
    """An event bus that keeps what it is told, or is in trouble."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    trouble: Exception | None = None
    failed: int = 0

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.trouble:
            raise self.trouble
        self.entries += Entries
        return {"FailedEntryCount": self.failed, "Entries": [{"ErrorMessage": "no such bus"}]}


@dataclass
class Bench:
    """A judging on moto's S3, and all that comes of it."""

    s3: Any
    results: Path
    bus: Bus = field(default_factory=Bus)
    said: list[str] = field(default_factory=list)

    @property
    def judging(self) -> Judging:
        return Judging(
            s3=self.s3,
            events=self.bus,
            names=Names(prefix="granary"),
            releases="releases",
            reports="reports",
            revision="r1",
            subject=source_subject(_DIGEST),
            results=self.results,
            clock=lambda: _NOW,
            say=self.said.append,
            link="https://console/build",
        )

    def objects(self, bucket: str) -> dict[str, bytes]:
        found = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {one["Key"]: self.s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}

    def verdict(self) -> Verdict:
        ((key, text),) = self.objects("releases").items()
        assert key == "verdicts/r1/secrets/2026-06-01T09:00:00.000+00:00.json"
        return Verdict.from_json(text.decode())


@pytest.fixture
def bench(aws: None, tmp_path: Path) -> Bench:
    s3 = boto3.client("s3", region_name="us-east-1")
    for name in ("releases", "reports"):
        s3.create_bucket(Bucket=name)
    return Bench(s3, tmp_path / ".build" / "gates")


def ran(*findings: Finding, exceptions: tuple[Exception_, ...] = (), **facts: Any) -> Ran:
    scanned = Scanned(findings=findings, tool_version="2.14.0", data_of="2026-05-31", **facts)
    return Ran(gate=GATE, scanned=scanned, decision=decide(GATE, scanned, exceptions, today=_NOW.date()))


def test_a_gate_that_passes_leaves_a_verdict_about_the_source_and_says_nothing_on_the_bus(bench: Bench) -> None:
    assert bench.judging.judge(ran()) is Outcome.PASS
    verdict = bench.verdict()
    assert verdict.subject == (source_subject(_DIGEST),)
    said = verdict.predicate
    assert (said.outcome, said.tool, said.tool_version, said.expires_at) == (
        Outcome.PASS,
        "kingfisher",
        "2.14.0",
        "2026-07-01T09:00:00.000+00:00",
    )
    assert said.report in bench.objects("reports")
    assert "its history is not scanned" in said.scope
    assert (said.link, said.data_of) == ("https://console/build", "2026-05-31")
    assert bench.bus.entries == []


def test_packages_are_kept_as_a_bill_of_materials_beside_the_report(bench: Bench) -> None:
    bench.judging.judge(ran(packages=[Package(name="pyyaml", installed="6.0.1")]))
    report, bill = sorted(bench.objects("reports").items(), reverse=True)
    assert report[0] == bench.verdict().predicate.report
    assert bill[0] == report[0].replace(".jsonl.gz", ".cdx.json")
    assert [one["name"] for one in json.loads(bill[1])["components"]] == ["pyyaml"]


def test_a_build_exports_the_worst_of_its_gates_and_where_to_look(bench: Bench) -> None:
    bench.results.mkdir(parents=True)
    bench.judging.export([ran(SECRET, replace(SECRET, rule="other")), ran(), ran(troubles=[(Word.NOTHING, "")])])
    words = shlex.split((bench.results / "variables.sh").read_text(), comments=True)
    assert words == [
        *("export", "GATES_OUTCOME=ERROR"),
        *("export", "GATES_BLOCKING=2"),
        *("export", "GATES_REPORT=https://console/build"),
    ]


def test_a_gate_that_fails_tells_where_without_what(bench: Bench) -> None:
    assert bench.judging.judge(ran(SECRET)) is Outcome.FAIL
    assert bench.verdict().predicate.reason == "HIGH aws at a.py:1"
    (entry,) = bench.bus.entries
    detail = json.loads(entry["Detail"])
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "granary-lifecycle",
        "granary",
        "Gate stopped a commit",
    )
    assert (detail["gate"], detail["outcome"], detail["revision"], detail["findings"]) == (
        "secrets",
        "FAIL",
        "r1",
        [SECRET.fingerprint],
    )
    assert "granary gates run secrets" in detail["nextSteps"]
    (suite,) = ElementTree.parse(bench.results / "secrets.xml").getroot()  # noqa: S314 - our own
    assert suite.attrib["failures"] == "1"
    (feature,) = json.loads((bench.results / "secrets.json").read_text())
    assert [one["steps"][0]["result"]["status"] for one in feature["elements"]] == ["passed", "failed"]
    assert bench.said[0] == "gate secrets (kingfisher): FAIL, 1 HIGH"


def test_a_gate_that_cannot_tell_stops_too_and_its_report_proves_nothing_gone(bench: Bench) -> None:
    assert bench.judging.judge(ran(troubles=[(Word.DID_NOT_RUN, "it ended with 3")])) is Outcome.ERROR
    assert bench.verdict().predicate.reason == "kingfisher: did not run: it ended with 3"
    assert json.loads(bench.bus.entries[0]["Detail"])["outcome"] == "ERROR"
    (kept,) = bench.objects("reports").values()
    assert Head.from_json(gzip.decompress(kept).decode().splitlines()[0]).complete is False


def test_what_was_excepted_is_in_the_verdict(bench: Bench) -> None:
    given: dict[str, Any] = {
        "gate": "secrets",
        "reason": "r",
        "requester": "a",
        "approver": "b",
        "expires": date(2026, 7, 1),
    }
    one = Exception_(fingerprint=SECRET.fingerprint, **given)
    assert bench.judging.judge(ran(SECRET, exceptions=(one,))) is Outcome.PASS
    said = bench.verdict().predicate
    assert said.exceptions == (SECRET.fingerprint,)
    assert said.excepted == {SECRET.fingerprint: "HIGH aws at a.py:1, until 2026-07-01"}


def test_a_verdict_is_written_once(bench: Bench) -> None:
    bench.judging.judge(ran(SECRET))
    with pytest.raises(ClientError, match="PreconditionFailed"):
        bench.judging.judge(ran())
    assert bench.verdict().predicate.outcome is Outcome.FAIL


def test_without_a_bucket_of_reports_it_is_told_and_decides_nothing(bench: Bench) -> None:
    """Given the first commit with the room, whose stack does not stand yet."""
    bench.s3.delete_bucket(Bucket="reports")
    assert bench.judging.judge(ran()) is Outcome.PASS
    assert bench.verdict().predicate.report == ""
    assert any("the findings are not kept in reports, which the stage Rooms makes" in one for one in bench.said)


def test_a_store_that_is_not_reached_decides_nothing_either(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put = bench.s3.put_object

    def unreached(**given: Any) -> Any:
        if given["Bucket"] == "reports":
            raise EndpointConnectionError(endpoint_url="https://reports")
        return put(**given)

    monkeypatch.setattr(bench.s3, "put_object", unreached)
    assert bench.judging.judge(ran(SECRET)) is Outcome.FAIL
    assert any("Could not connect" in one for one in bench.said)
    assert bench.verdict().predicate.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("bus", "told"),
    [
        (Bus(trouble=EndpointConnectionError(endpoint_url="https://events")), "Could not connect"),
        (Bus(failed=1), "no such bus"),
    ],
)
def test_that_nobody_hears_it_is_told_and_the_verdict_is_written(bench: Bench, bus: Bus, told: str) -> None:
    bench.bus = bus
    assert bench.judging.judge(ran(SECRET)) is Outcome.FAIL
    assert any(one.startswith("nobody is told on the bus") and told in one for one in bench.said)
    assert bench.verdict().predicate.outcome is Outcome.FAIL


def test_a_verdict_that_cannot_be_written_fails_the_build(bench: Bench) -> None:
    """Given a gate that has passed."""
    with Stubber(bench.s3) as stub:
        stub.add_response("put_object", {})
        stub.add_client_error("put_object", "AccessDenied")
        with pytest.raises(ClientError, match="AccessDenied"):
            bench.judging.judge(ran())


_GATES = {
    "gates": [
        {"name": "secrets", "scanner": "kingfisher"},
        {"name": "code", "scanner": "bandit"},
        {"name": "cdk", "scanner": "cdk_validation", "scans": "templates"},
    ]
}


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    (write(tmp_path) / "gates.yaml").write_text(json.dumps(_GATES), encoding="utf-8")
    return load(tmp_path)


def test_each_scope_has_its_gates(configuration: Configuration) -> None:
    assert [one.name for one in configured(configuration, Scope.SOURCE)[0]] == ["secrets", "code"]
    assert [one.name for one in configured(configuration, Scope.TEMPLATES)[0]] == ["cdk"]


Scan = Callable[..., Scanned]


@pytest.fixture
def build(
    bench: Bench, configuration: Configuration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., int]:
    """Run the gates of the source as the build does, with scanners that come to this; answers the exit code."""
    names, toolchain = Names(prefix="granary"), configuration.toolchain
    for bucket in (names.releases_bucket, names.reports_bucket):
        bench.s3.create_bucket(Bucket=bucket(toolchain.account, toolchain.region))
    boto3.client("events", region_name="us-east-1").create_event_bus(Name=names.event_bus)
    monkeypatch.setattr(subject, "load", lambda: configuration)
    monkeypatch.setattr(subject, "_RESULTS", tmp_path / "results")
    monkeypatch.setenv("SOURCE_VERSION", "r1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def run(**scans: Scan) -> int:
        for name, scan in scans.items():
            monkeypatch.setitem(scanners(), name, _Fixed(scan))
        return run_gates(Scope.SOURCE, tmp_path, subject=source_subject(_DIGEST))

    return run


@dataclass(frozen=True)
class _Fixed:
    """A scanner that sees what is planted, and comes to something fixed elsewhere."""

    answer: Scan

    def plant(self, folder: Path) -> None:
        (folder / "planted").touch()

    def scan(self, target: Path, **_: Any) -> Scanned:
        return Scanned(findings=[SECRET]) if (target / "planted").exists() else self.answer()


def _broken() -> Scanned:
    raise Trouble(Word.DID_NOT_RUN, "")


@pytest.mark.parametrize(
    ("second", "code", "outcome"),
    [
        (lambda: Scanned(tool_version="1"), 0, "PASS"),
        (lambda: Scanned(findings=[replace(SECRET, rule="B602")]), 1, "FAIL"),
        (_broken, 1, "ERROR"),
    ],
)
def test_the_build_goes_on_when_all_gates_have_passed(
    build: Callable[..., int], bench: Bench, second: Scan, code: int, outcome: str
) -> None:
    """And each gate has judged, whatever another says."""
    assert build(kingfisher=lambda: Scanned(tool_version="1"), bandit=second) == code
    bucket = Names(prefix="granary").releases_bucket("111111111111", "us-east-1")
    verdicts = [Verdict.from_json(one.decode()).predicate for one in bench.objects(bucket).values()]
    assert sorted((one.gate, one.outcome.value) for one in verdicts) == [("code", outcome), ("secrets", "PASS")]
    exported = bench.results.parents[1] / "results" / "variables.sh"
    assert f"export GATES_OUTCOME={outcome}" in exported.read_text().splitlines()


def test_what_a_pipeline_of_another_room_deploys_is_judged_apart(
    build: Callable[..., int], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the same source at a branch that is no release, then nothing stands where a release's verdicts do."""
    monkeypatch.setenv("ROOM_PIPELINE", "granary-lake-dev-etl")
    assert build(kingfisher=lambda: Scanned(tool_version="1"), bandit=_broken) == 1
    names = Names(prefix="granary")
    assert bench.objects(names.releases_bucket("111111111111", "us-east-1")) == {}
    kept = bench.objects(names.reports_bucket("111111111111", "us-east-1"))
    folders = {"/".join(key.split("/")[:3]) for key in kept}
    assert folders == {"findings/_pipelines/granary-lake-dev-etl", "verdicts/_pipelines/r1"}
