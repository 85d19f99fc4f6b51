"""config/gates.yaml: repositories, and which gates they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import load
from config.models import Configuration
from config.models.gates import Section
from lambdas.gates.model.gate import Scope
from tests.unit.config.files import errors_of, write

_GATES: list[dict[str, Any]] = [
    {"name": "secrets", "scanner": "kingfisher"},
    {"name": "templates", "scanner": "cfn_lint", "scans": "templates"},
    {"name": "packages", "scanner": "snyk", "scans": "repositories", "options": {"secret": "snyk/token"}},
]
_REPOSITORY: dict[str, Any] = {
    "name": "payments",
    "source": {"provider": "codecommit", "repository": "Payments"},
    "gates": ["secrets", "packages"],
}


_CONNECTED = {
    "provider": "connection",
    "repository": "group/team/payments",
    "connection_arn": "arn:aws:codeconnections:us-east-1:111111111111:connection/0a1b",
}


def _write(directory: Path, *repositories: dict[str, Any], gates: list[dict[str, Any]] = _GATES) -> Path:
    document = {"gates": gates, "repositories": list(repositories)}
    (write(directory) / "gates.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return directory


def _section(configuration: Configuration) -> Section:
    section = configuration.rooms["gates"]
    assert isinstance(section, Section)
    return section


def test_a_repository_has_its_gates_with_names_of_their_own_and_its_history(tmp_path: Path) -> None:
    section = _section(load(_write(tmp_path, _REPOSITORY)))
    (one,) = section.repositories
    assert one.branches == ("*",)
    first, second = section.gates_of(one)
    assert (first.name, first.scans, first.options) == (
        "payments-secrets",
        Scope.REPOSITORIES,
        {"history": True, "project": "payments"},
    )
    assert (second.name, second.options["secret"]) == ("payments-packages", "snyk/token")


def test_a_repository_may_be_behind_a_connection(tmp_path: Path) -> None:
    (one,) = _section(load(_write(tmp_path, {**_REPOSITORY, "source": _CONNECTED}))).repositories
    assert (one.source.repository, one.connection_arn) == ("group/team/payments", _CONNECTED["connection_arn"])
    (one,) = _section(load(_write(tmp_path, _REPOSITORY))).repositories
    assert one.connection_arn == ""


def test_what_is_said_of_a_gate_is_said_of_the_repository(tmp_path: Path) -> None:
    given = [{**_GATES[0], "options": {"history": False}}]
    section = _section(load(_write(tmp_path, {**_REPOSITORY, "gates": ["secrets"]}, gates=given)))
    assert section.gates_of(section.repositories[0])[0].options["history"] is False


def test_a_release_needs_no_verdict_of_a_gate_of_repositories(tmp_path: Path) -> None:
    assert _section(load(_write(tmp_path, _REPOSITORY))).demanded == ["secrets", "templates"]


def test_exceptions_are_of_a_repository_s_gate(tmp_path: Path) -> None:
    _write(tmp_path, _REPOSITORY)
    given = {"reason": "revoked", "requester": "a@example.com", "approver": "b@example.com", "expires": "2026-09-01"}
    named = [{**given, "gate": gate, "fingerprint": f"v1:{'a' * 32}"} for gate in ("payments-secrets", "packages")]
    (tmp_path / "exceptions.yaml").write_text(yaml.safe_dump({"exceptions": named}), encoding="utf-8")
    (line,) = load(tmp_path).without_effect()
    assert "there is no gate packages" in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "source"}, "rename it"),
        ({"name": "Payments"}, "name"),
        ({"name": "a" * 32}, "name"),
        ({"gates": []}, "gates"),
        ({"gates": ["secrets", "secrets"]}, "more than once"),
        ({"gates": ["templates"]}, "templates is no gate that scans the source or repositories"),
        ({"gates": ["nothing"]}, "nothing is no gate"),
        ({"branches": []}, "branches"),
        ({"branches": ["a**"]}, "branches"),
        ({"branches": ["a b"]}, "branches"),
        ({"branches": [""]}, "branches"),
        ({"source": {"provider": "s3", "repository": "a"}}, "provider"),
        ({"source": {"provider": "codecommit", "repository": "a/b"}}, "repository"),
        ({"source": {**_CONNECTED, "repository": "payments"}}, "repository"),
        ({"source": {**_CONNECTED, "connection_arn": "arn:aws:s3:::b"}}, "connection_arn"),
        ({"source": {**_CONNECTED, "branch": "main"}}, "branch"),
        ({"source": _CONNECTED, "branches": list("abcdefghi")}, "a connection takes 8 patterns"),
    ],
)
def test_a_wrong_repository_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    line = errors_of(_write(tmp_path, {**_REPOSITORY, **change}))[0]
    assert line.startswith("gates.yaml: ")
    assert told in line


@pytest.mark.parametrize("pattern", ["*", "main", "feature/*", "*/x", "release-*-eu"])
def test_patterns_of_branches(tmp_path: Path, pattern: str) -> None:
    section = _section(load(_write(tmp_path, {**_REPOSITORY, "branches": [pattern]})))
    assert section.repositories[0].branches == (pattern,)


def test_no_two_gates_have_one_name(tmp_path: Path) -> None:
    (line,) = errors_of(_write(tmp_path, _REPOSITORY, _REPOSITORY))
    assert "payments is given twice" in line
    twin = {"name": "payments-secrets", "scanner": "kingfisher"}
    (line,) = errors_of(_write(tmp_path, _REPOSITORY, gates=[*_GATES, twin]))
    assert "payments-secrets would be the name of two gates" in line


def test_a_secret_is_for_repositories_alone(tmp_path: Path) -> None:
    """CI/CD's role for gates reads none."""
    gate = {**_GATES[2], "scans": "source"}
    (line,) = errors_of(_write(tmp_path, gates=[gate]))
    assert "packages: builds of repositories alone read its secret" in line


@pytest.mark.parametrize("name", ["*", "granary/s?yk", "arn:aws:secretsmanager:us-east-1:111111111111:secret:a"])
def test_a_secret_is_one_by_its_name(tmp_path: Path, name: str) -> None:
    """The role of builds may read what it names: `*` was every secret of the account."""
    given = [{**_GATES[2], "options": {"secret": name}}]
    line = errors_of(_write(tmp_path, {**_REPOSITORY, "gates": ["packages"]}, gates=given))[0]
    assert line.endswith("gates: packages: secret is a name in Secrets Manager: no ARN, and no * or ?")
