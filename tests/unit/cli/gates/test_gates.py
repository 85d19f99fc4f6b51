"""`granary gates`: what is told, and the exit codes that scripts rely on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest

from lambdas.common.evidence.finding import Finding, Place, Severity
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Judgement, Outcome, Verdict, verdict_key
from lambdas.common.names import Names
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import Trouble
from tests.unit.cli.saas.factory import ACCOUNT, NOW, REGION, Answer, Factory

_BUCKET = Names(prefix="granary").releases_bucket(ACCOUNT, REGION)
_SHA = "a" * 64
_GATES = [
    {"name": "secrets", "scanner": "kingfisher"},
    {"name": "cdk", "scanner": "cdk_validation", "scans": "templates", "fail_at": "low"},
]
_FOUND = Finding(tool="t", rule="aws", title="A key", severity=Severity.HIGH, place=Place(path="a.py", line=1))


@dataclass(frozen=True)
class _Fixed:
    """A scanner that sees what is planted, and comes to something fixed elsewhere."""

    answer: Callable[[Path], Scanned]

    def plant(self, folder: Path) -> None:
        (folder / "planted").touch()

    def scan(self, target: Path, **_: Any) -> Scanned:
        return Scanned(findings=[_FOUND]) if (target / "planted").exists() else self.answer(target)


def _broken(_target: Path) -> Scanned:
    raise Trouble(Word.DID_NOT_RUN, "it ended with 3")


_CLEAN: Callable[[Path], Scanned] = lambda _: Scanned(tool_version="1")  # noqa: E731
_FINDS: Callable[[Path], Scanned] = lambda _: Scanned(findings=[_FOUND], tool_version="1")  # noqa: E731


@pytest.fixture
def gated(factory: Factory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Factory:
    """A factory with two gates, and a bucket of releases."""
    (factory.directory / "gates.yaml").write_text(json.dumps({"gates": _GATES}), encoding="utf-8")
    monkeypatch.setattr(Environments, "here", lambda: Environments(root=tmp_path / "unused"))
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_bucket_versioning(Bucket=_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return factory


def run(factory: Factory, *words: str, **scans: Callable[[Path], Scanned]) -> Answer:
    """Run gates, whose scanners come to this."""
    for name, scan in scans.items():
        factory.monkeypatch.setitem(scanners(), name, _Fixed(scan))
    return factory.granary("gates", "run", *words)


@pytest.mark.parametrize(
    ("secrets", "cdk", "code"),
    [(_CLEAN, _CLEAN, 0), (_FINDS, _CLEAN, 1), (_CLEAN, _broken, 6), (_FINDS, _broken, 6), (_broken, _CLEAN, 6)],
)
def test_the_exit_codes_of_a_run(gated: Factory, secrets: Any, cdk: Any, code: int) -> None:
    """That it could not be told is worse than what was found."""
    assert run(gated, kingfisher=secrets, cdk_validation=cdk).code == code


def test_a_run_tells_what_blocks_and_where(gated: Factory) -> None:
    answer = run(gated, kingfisher=_FINDS, cdk_validation=_broken)
    assert "gate secrets (kingfisher): FAIL, 1 HIGH" in answer.stdout
    assert f"fingerprint {_FOUND.fingerprint}" in answer.stdout
    assert "gate cdk (cdk_validation): ERROR" in answer.stdout
    assert "did not run: it ended with 3" in answer.stdout


def test_only_the_gates_that_are_named_run_each_on_its_own_target(gated: Factory, tmp_path: Path) -> None:
    seen: list[Path] = []

    def look(target: Path) -> Scanned:
        seen.append(target)
        return Scanned(tool_version="1")

    source, templates = tmp_path / "source", tmp_path / "out"
    words = ("--source", str(source), "--templates", str(templates))
    assert run(gated, "cdk", *words, kingfisher=_broken, cdk_validation=look).code == 0
    assert run(gated, *words, kingfisher=look).code == 0
    assert seen == [templates, source, templates]
    assert run(gated, "nothing").code == 3


def test_a_run_as_json(gated: Factory) -> None:
    answer = run(gated, "secrets", "--json", kingfisher=_FINDS)
    (gate,) = answer.document
    assert (gate["gate"], gate["outcome"], len(gate["blocking"])) == ("secrets", "FAIL", 1)
    assert answer.code == 1


def test_a_run_writes_reports_whatever_it_comes_to(gated: Factory, tmp_path: Path) -> None:
    kinds = ("junit", "sarif", "cucumber", "sbom")
    files = [tmp_path / kind for kind in kinds]
    words = [word for kind, file in zip(kinds, files, strict=True) for word in (f"--{kind}", str(file))]
    assert run(gated, *words, kingfisher=_FINDS, cdk_validation=_broken).code == 6
    suites = ElementTree.parse(files[0]).getroot()  # noqa: S314 - our own
    assert [(one.attrib["name"], one.attrib["failures"], one.attrib["errors"]) for one in suites] == [
        ("secrets", "1", "0"),
        ("cdk", "0", "1"),
    ]
    assert [len(one["results"]) for one in json.loads(files[1].read_text())["runs"]] == [1, 0]
    assert [len(one["elements"]) for one in json.loads(files[2].read_text())] == [2, 1]
    assert json.loads(files[3].read_text())["components"] == []
    answer = run(gated, "--sarif", str(tmp_path), kingfisher=_CLEAN, cdk_validation=_CLEAN)
    assert answer.code == 1
    assert "cannot be written" in answer.stderr


def test_gates_are_listed(gated: Factory) -> None:
    answer = gated.granary("gates", "list")
    assert [line.split()[:3] for line in answer.stdout.splitlines()] == [
        ["secrets", "kingfisher", "source"],
        ["cdk", "cdk_validation", "templates"],
    ]
    assert answer.stdout.splitlines()[1].endswith("fails at LOW")


@pytest.mark.parametrize("words", [("list",), ("run",)])
def test_without_the_room_there_are_none(factory: Factory, words: tuple[str, ...]) -> None:
    answer = factory.granary("gates", *words)
    assert answer.code == 3
    assert "the room gates is off: copy config/examples/all/gates.yaml" in answer.stderr


_BANDIT = {"errors": [], "generated_at": "2026", "metrics": {"_totals": {"loc": 9}}, "results": []}
_ISSUE = {"test_id": "B602", "issue_severity": "HIGH", "issue_text": "shell", "filename": "a.py", "line_number": 3}


@pytest.mark.parametrize(
    ("report", "code", "told"),
    [
        (_BANDIT, 0, "0 open findings, 0 errors"),
        ({**_BANDIT, "results": [_ISSUE]}, 1, "1 open findings, 0 errors"),
        ({**_BANDIT, "errors": [{"filename": "b.py", "reason": "syntax"}]}, 1, "0 open findings, 1 errors"),
        ({**_BANDIT, "metrics": {"_totals": {"loc": 0}}}, 1, "0 open findings, 0 errors"),
    ],
)
def test_a_report_is_parsed(gated: Factory, tmp_path: Path, report: Any, code: int, told: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    answer = gated.granary("gates", "parse", str(file), "--format", "bandit")
    assert (answer.code, told in answer.stderr) == (code, True)
    assert gated.granary("gates", "parse", str(file), "--format", "kics").code == 1
    file.write_text("{")
    assert gated.granary("gates", "parse", str(file)).code == 1
    assert gated.granary("gates", "parse", str(tmp_path / "nothing")).code == 3


def test_a_report_of_old_data_proves_nothing(gated: Factory, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    told = {"name": "grype", "version": "0.90.0", "db": {"status": {"built": "2020-01-01T00:00:00Z"}}}
    file.write_text(json.dumps({"matches": [], "descriptor": told}))
    answer = gated.granary("gates", "parse", str(file))
    assert (answer.code, "with data of 2020-01-01" in answer.stderr) == (0, True)
    answer = gated.granary("gates", "parse", str(file), "--max-age-days", "30")
    assert answer.code == 1
    assert "ERROR database too old: it is of 2020-01-01" in answer.stdout


def publish(*gates: str) -> None:
    """Publish the release r1, which needs these gates."""
    metadata = {"granary-sha256": _SHA, **({"granary-gates": ",".join(gates)} if gates else {})}
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=_BUCKET, Key="releases/r1/source.zip", Body=b"zip", Metadata=metadata)


def judge(outcome: Outcome = Outcome.PASS, *, about: str = _SHA, judged_at: str = NOW, **facts: Any) -> None:
    """Leave a verdict of the gate `secrets`."""
    known = {"reason": "", "tool": "kingfisher", "tool_version": "2.14.0", "expires_at": "2999-01-01", **facts}
    verdict = Verdict(
        subject=(Subject(name="source.zip", digest=Digest(sha256=about)),),
        predicate=Judgement(gate="secrets", outcome=outcome, judged_at=judged_at, **known),
    )
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=_BUCKET, Key=verdict_key("r1", verdict), Body=verdict.to_json().encode())


def test_a_release_that_may_go_is_verified(gated: Factory) -> None:
    publish("secrets")
    judge()
    answer = gated.granary("gates", "verify", "r1")
    assert (answer.code, answer.stdout, answer.stderr.strip()) == (0, "", "release r1 may go: 1 gates")


def test_a_release_of_before_the_gates_needs_none(gated: Factory) -> None:
    publish()
    assert gated.granary("gates", "verify", "r1").code == 0


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([], "gate secrets has left no verdict"),
        ([{"about": "b" * 64}], "gate secrets is about something else"),
        ([{"outcome": Outcome.FAIL, "reason": "a key"}], "gate secrets says FAIL: a key"),
        ([{}, {"outcome": Outcome.ERROR, "judged_at": "2999-01-01"}], "gate secrets says ERROR"),
        ([{"expires_at": NOW}], "which counts until"),
    ],
)
def test_what_stands_against_a_release_is_told(gated: Factory, verdicts: list[dict[str, Any]], told: str) -> None:
    publish("secrets")
    for facts in verdicts:
        judge(**facts)
    answer = gated.granary("gates", "verify", "r1", "--json")
    assert answer.code == 1
    (against,) = answer.document["against"]
    assert told in against


def test_a_verdict_that_cannot_be_read_stands_against_it(gated: Factory) -> None:
    publish("secrets")
    judge()
    boto3.client("s3", region_name=REGION).put_object(Bucket=_BUCKET, Key="verdicts/r1/secrets/x.json", Body=b"\xff{")
    answer = gated.granary("gates", "verify", "r1")
    assert (answer.code, "verdicts/r1/secrets/x.json: no verdict can be read" in answer.stdout) == (1, True)
    assert gated.granary("gates", "explain", "r1").code == 0


def test_a_release_that_is_not_there_is_not_found(gated: Factory) -> None:
    for verb in ("verify", "explain"):
        assert gated.granary("gates", verb, "r9").code == 3


def test_what_gates_said_is_explained_in_its_order(gated: Factory) -> None:
    excepted = f"v1:{hashlib.sha256(b'x').hexdigest()[:32]}"
    said: dict[str, Any] = {"data_of": "2026-11-01", "link": "https://console"}
    judge(
        counts={"HIGH": 1}, exceptions=(excepted, "v1:0"), excepted={excepted: "HIGH x at a.py"}, scope="tree", **said
    )
    judge(Outcome.FAIL, judged_at="2026-11-26T10:00:00.000+00:00", reason="HIGH aws at a.py:1")
    lines = gated.granary("gates", "explain", "r1").stdout.splitlines()
    assert lines[0] == f"{NOW} secrets: PASS"
    assert lines[1:5] == [
        "  kingfisher 2.14.0 with data of 2026-11-01, of tree: 1 HIGH, 2 excepted; counts until 2999-01-01",
        f"  excepted {excepted}: HIGH x at a.py",
        "  excepted v1:0",
        "  https://console",
    ]
    assert lines[5].endswith("secrets: FAIL HIGH aws at a.py:1")
    assert lines[6] == "  kingfisher 2.14.0, of : nothing; counts until 2999-01-01"
