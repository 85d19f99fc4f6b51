"""config/gates.yaml and config/exceptions.yaml."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import CONFIG_DIR, load
from config.models import Configuration
from config.models.gates import Section
from lambdas.common.evidence.finding import Severity
from lambdas.gates import scanners as folder
from lambdas.gates.model.gate import Gate, Scope
from lambdas.gates.model.options import OPTIONS
from lambdas.gates.scanners import scanners
from tests.unit.config.files import errors_of, write

_GATE = {"name": "secrets", "scanner": "kingfisher"}
_FINGERPRINT = f"v1:{'a' * 32}"
_EXCEPTION = {
    "fingerprint": _FINGERPRINT,
    "gate": "secrets",
    "reason": "revoked",
    "requester": "a@example.com",
    "approver": "b@example.com",
    "expires": "2026-09-01",
}


def _write(directory: Path, *gates: dict[str, Any], exceptions: tuple[dict[str, Any], ...] = ()) -> Path:
    write(directory)
    (directory / "gates.yaml").write_text(yaml.safe_dump({"gates": list(gates)}), encoding="utf-8")
    (directory / "exceptions.yaml").write_text(yaml.safe_dump({"exceptions": list(exceptions)}), encoding="utf-8")
    return directory


def gates(configuration: Configuration) -> list[Gate]:
    section = configuration.rooms["gates"]
    assert isinstance(section, Section)
    return [one.gate() for one in section.gates]


def test_what_is_left_out_is_strict(tmp_path: Path) -> None:
    (gate,) = gates(load(_write(tmp_path, _GATE)))
    assert gate == Gate(name="secrets", scanner="kingfisher")
    assert (gate.scans, gate.fail_at, gate.unknown_blocks, gate.valid_days) == (Scope.SOURCE, Severity.HIGH, True, 90)
    assert gate.max_age_days is None


def test_a_gate_says_how_old_its_data_may_be(tmp_path: Path) -> None:
    (gate,) = gates(load(_write(tmp_path, {**_GATE, "max_age_days": 7})))
    assert gate.max_age_days == 7
    assert any("max_age_days" in line for line in errors_of(_write(tmp_path, {**_GATE, "max_age_days": 0})))


def test_without_the_file_the_room_is_off(tmp_path: Path) -> None:
    assert load(write(tmp_path)).rooms == {}
    assert load(write(tmp_path)).exceptions.exceptions == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"scanner": "gitleaks"}, "there is no scanner gitleaks: use bandit, cdk_validation, cfn_lint"),
        ({"scanner": "running"}, "there is no scanner running"),
        ({"name": "Secrets"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"scans": "history"}, "scans"),
        ({"fail_at": "unknown"}, "fail_at"),
        ({"valid_days": 366}, "valid_days"),
        ({"valid_days": 0}, "valid_days"),
        ({"fails_at": "low"}, "fails_at"),
    ],
)
def test_a_wrong_gate_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    line = errors_of(_write(tmp_path, {**_GATE, **change}))[0]
    assert line.startswith("gates.yaml: ")
    assert told in line


@pytest.mark.parametrize(
    ("scanner", "options", "told"),
    [
        ("pip_audit", {"file": ["a.txt"]}, "options: pip_audit has no option file: it takes files, osv_url"),
        ("bandit", {"skip": ["B602"]}, "options: bandit has no option skip"),
        ("cdk_validation", {"plugins": ["a", ""]}, "options: plugins is a list of texts, not ['a', '']"),
        ("iam", {"own_accounts": [111111111111]}, "options: own_accounts is a list of texts, not [111111111111]"),
        ("iam", {"ssm_parameters": ["x"]}, "options: ssm_parameters is texts by name"),
        ("kingfisher", {"rules": ["a"]}, "options: rules is a text"),
        ("kingfisher", {"history": "no"}, "options: history is true or false"),
    ],
)
def test_an_option_that_would_be_passed_over_is_told(
    tmp_path: Path, scanner: str, options: dict[str, Any], told: str
) -> None:
    """Given a wrong one, then it alone is told: not that there are too few gates, too."""
    (line,) = errors_of(_write(tmp_path, {"name": "a", "scanner": scanner, "options": options}))
    assert told in line


def test_a_text_stands_for_a_list_of_one(tmp_path: Path) -> None:
    """Of `denied_actions: "iam:*"` each letter was an action, and with `plugins: X` none was demanded."""
    one = {"name": "one", "scanner": "iam", "options": {"denied_actions": "iam:*"}}
    other = {"name": "other", "scanner": "cdk_validation", "options": {"plugins": "AwsSolutions"}}
    found = [gate.options for gate in gates(load(_write(tmp_path, one, other)))]
    assert found == [{"denied_actions": ["iam:*"]}, {"plugins": ["AwsSolutions"]}]


def test_each_option_that_a_scanner_reads_can_be_given() -> None:
    """Whoever adds one to a scanner, adds it there, too."""
    for name in OPTIONS:
        text = (Path(folder.__path__[0]) / f"{name}.py").read_text(encoding="utf-8")
        read = re.findall(r"options(?:\.get\(|\[|, )\"(\w+)\"", text)
        assert set(read) <= set(OPTIONS[name]), name


def test_no_gates_are_no_room(tmp_path: Path) -> None:
    assert len(errors_of(_write(tmp_path))) == 1
    (line,) = errors_of(_write(tmp_path, _GATE, _GATE))
    assert "secrets is given twice" in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"approver": " A@Example.com"}, "has asked for it: another person approves"),
        ({"approver": "Ada <a@example.com>"}, "has asked for it: another person approves"),
        ({"approver": "a+work@example.com"}, "has asked for it: another person approves"),
        ({"approver": "\uff41@example.com"}, "has asked for it: another person approves"),
        ({"approver": "a\u200b@example.com"}, "has asked for it: another person approves"),
        ({"requester": "Ada  Byron", "approver": "ada\u00a0byron"}, "has asked for it: another person approves"),
        ({"approver": " \u200b "}, "approver: must not be blank"),
        ({"reason": "  "}, "reason: must not be blank"),
        ({"expires": "2026-09-01T00:00:00"}, "is no day: write it as 2027-01-31"),
        ({"expires": True}, "expires: True is no day"),
        ({"fingerprint": "B602"}, "fingerprint"),
        ({"fingerprint": "v1:*"}, "fingerprint"),
        ({"expires": "never"}, "expires"),
        ({"expires": ""}, "expires"),
        ({"reason": ""}, "reason"),
        ({"severity": "low"}, "severity"),
    ],
)
def test_a_wrong_exception_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    (line,) = errors_of(_write(tmp_path, _GATE, exceptions=({**_EXCEPTION, **change},)))
    assert line.startswith("exceptions.yaml: ")
    assert told in line


@pytest.mark.parametrize("name", ["approver", "expires", "reason", "requester", "gate"])
def test_an_exception_leaves_nothing_out(tmp_path: Path, name: str) -> None:
    less = {key: value for key, value in _EXCEPTION.items() if key != name}
    (line,) = errors_of(_write(tmp_path, _GATE, exceptions=(less,)))
    assert name in line


def test_an_exception_is_given_once_a_gate(tmp_path: Path) -> None:
    (line,) = errors_of(_write(tmp_path, _GATE, exceptions=(_EXCEPTION, _EXCEPTION)))
    assert f"{_FINGERPRINT} of gate secrets is given twice" in line


def test_a_day_is_read_as_it_is_written(tmp_path: Path) -> None:
    (one,) = load(_write(tmp_path, _GATE, exceptions=(_EXCEPTION,))).exceptions.exceptions
    assert one.expires == date(2026, 9, 1)


def test_an_exception_of_no_gate_has_no_effect(tmp_path: Path) -> None:
    stray = {**_EXCEPTION, "gate": "secret"}
    configuration = load(_write(tmp_path, _GATE, exceptions=(_EXCEPTION, stray)))
    assert configuration.without_effect() == [f"exceptions.yaml: {_FINGERPRINT}: there is no gate secret: remove it"]


def test_every_scanner_that_can_be_named_is_one() -> None:
    files = Path(folder.__path__[0]).glob("*.py")
    assert sorted(scanners()) == sorted(one.stem for one in files if "\nSCANNER" in one.read_text(encoding="utf-8"))


def test_the_example_has_a_gate_of_every_scanner_that_asks_no_account(tmp_path: Path) -> None:
    example = (CONFIG_DIR / "examples" / "all" / "gates.yaml").read_text(encoding="utf-8")
    (write(tmp_path) / "gates.yaml").write_text(example, encoding="utf-8")
    found = gates(load(tmp_path))
    assert sorted(one.scanner for one in found) == sorted(set(OPTIONS) - {"cfn_policy_validator", "snyk"})
    assert {one.scans for one in found} == {Scope.SOURCE, Scope.TEMPLATES}
