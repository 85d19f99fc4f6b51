"""What the gates of a repository leave behind: a verdict about its commit, beside its findings, and an event."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from buildspecs.gates.repository_gates.judge import judge
from config.loader import load
from lambdas.common.errors import GranaryError
from lambdas.common.evidence.kept_report import KeptReport
from lambdas.common.evidence.verdict import Outcome, Verdict
from lambdas.gates.model.branch import Branch
from lambdas.gates.model.gate import Scope
from tests.unit.buildspecs.gates.test_judging import SECRET, Bench, ran
from tests.unit.buildspecs.gates.test_judging import bench as bench  # noqa: PLC0414 - a fixture
from tests.unit.config.files import write

BRANCH = Branch(repository="payments", name="feature/ä", commit="c" * 40)


def test_nothing_about_a_repository_stands_where_verdicts_of_releases_do(bench: Bench) -> None:
    judging = replace(bench.judging, branch=BRANCH, revision=BRANCH.commit)
    scanned = ran(SECRET)
    gate = replace(scanned.gate, name="payments-secrets", scans=Scope.REPOSITORIES)
    assert judging.judge(replace(scanned, gate=gate)) is Outcome.FAIL
    assert bench.objects("releases") == {}
    kept = bench.objects("reports")
    (key,) = [key for key in kept if key.startswith("verdicts/")]
    assert key.startswith(f"verdicts/payments/{'c' * 40}/payments-secrets/")
    said = Verdict.from_json(kept[key].decode()).predicate
    assert "history" in said.scope
    head = KeptReport(kept[said.report]).head
    assert (head.target, head.revision) == ("payments/feature/%C3%A4", "c" * 40)
    assert head.belongs(said.report)
    detail = json.loads(bench.bus.entries[0]["Detail"])
    assert (detail["repository"], detail["branch"], detail["revision"]) == ("payments", "feature/ä", "c" * 40)


def test_a_repository_that_is_not_configured_has_not_passed(tmp_path: Path) -> None:
    with pytest.raises(GranaryError, match=r"config/gates.yaml has no repository payments"):
        judge(load(write(tmp_path)), BRANCH, tmp_path)
