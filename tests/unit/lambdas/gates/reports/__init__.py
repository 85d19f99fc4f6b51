"""A report of each format, written for these tests, and what has to be found in it.

None is a copy of a real one. Wherever a tool shows what it has found, the text `PLANTED` stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PLANTED = "planted-5ecret"
_FOLDER = Path(__file__).parent

# Of each file: its findings, how many of them are open, and what it says was scanned.
EXPECTED: Mapping[str, tuple[int, int, int | None]] = {
    "anchore_engine.json": (2, 2, None),
    "asff.json": (4, 2, None),
    "bandit.json": (3, 3, 7),
    "cdk_validation.json": (5, 4, 2),
    "cfn_guard.json": (3, 3, 3),
    "cfn_lint.json": (2, 2, None),
    "cfn_nag.json": (3, 3, 2),
    "cfn_policy_validator.json": (3, 3, None),
    "checkov.json": (4, 3, 8),
    "conformity.json": (2, 2, 3),
    "dependency_check.xml": (4, 3, 3),
    "detect_secrets.json": (3, 2, None),
    "ecr.json": (3, 3, None),
    "git_secrets.txt": (2, 2, None),
    "gitleaks.json": (3, 3, None),
    "grype.json": (3, 2, None),  # one of its four is told twice
    "inspector.json": (3, 2, None),
    "junit.xml": (2, 2, 3),
    "kics.json": (3, 3, 2),
    "kingfisher.json": (2, 2, 2),
    "npm_audit.json": (3, 3, 3),
    "npm_audit_6.json": (1, 1, 3),
    "ocsf.json": (3, 2, None),
    "pip_audit.json": (2, 2, 2),
    "prowler.json": (2, 2, None),
    "sarif.sarif": (6, 4, None),
    "semgrep.json": (3, 2, 1),
    "snyk.json": (4, 4, 12),
    "terraform_compliance.json": (2, 2, 4),
    "terrascan.json": (3, 2, 607),
    "tfsec.json": (3, 2, None),
    "trivy.json": (6, 5, 4),
    "vision_one.json": (2, 2, 3),
    "wapiti.json": (3, 3, 3),
    "zap.xml": (3, 3, 3),
}


def format_of(file: str) -> str:
    """The name of the format that a file is a report of."""
    return file.partition(".")[0].replace("_", "-").removesuffix("-6")


def content(file: str) -> bytes:
    """What a file holds."""
    return (_FOLDER / file).read_bytes()
