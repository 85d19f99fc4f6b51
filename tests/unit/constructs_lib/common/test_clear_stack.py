"""The step before a stack is deployed: what it deletes, what it leaves alone, and when it fails."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from constructs_lib.common.clear_stack import CLEARED, SCRIPT

# Answers as the AWS CLI does: the stack is as the files say, and a deletion makes it what `after` says.
_AWS = r"""#!/bin/bash
echo "$*" >> "$0.calls"
case "$2" in
  assume-role) test ! -e "$0.denied" || { echo "AccessDenied: sts:AssumeRole" >&2; exit 254; }; printf 'a\tb\tc\n' ;;
  describe-stacks) cat "$0.error" >&2 2>/dev/null && exit 254; cat "$0.stack" ;;
  delete-stack) cp "$0.after" "$0.stack" ;;
esac
"""
_STACK = "granary-lake-dev-etl"
_ID = f"arn:aws:cloudformation:eu-west-1:222222222222:stack/{_STACK}/1"


def _run(folder: Path, **files: str) -> tuple[int, str, list[str]]:
    """The script's exit code, what it says, and the calls that change something."""
    aws = folder / "aws"
    aws.write_text(_AWS, encoding="utf-8")
    aws.chmod(0o755)
    for name, text in files.items():
        (folder / f"aws.{name}").write_text(f"{text}\n", encoding="utf-8")
    variables = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "STACK": _STACK,
        "STACK_REGION": "eu-west-1",
        "CLEARED": " ".join(CLEARED),
        "DEPLOY_ROLE": "arn:deploy",
        "EXECUTION_ROLE": "arn:execution",
    }
    shell = ["bash", "-c", SCRIPT]
    done = subprocess.run(shell, env=variables, cwd=folder, capture_output=True, text=True, check=False)
    calls = (folder / "aws.calls").read_text(encoding="utf-8").splitlines()
    return done.returncode, done.stdout + done.stderr, [one for one in calls if "delete" in one]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_stands_is_left_alone(tmp_path: Path, status: str) -> None:
    code, said, calls = _run(tmp_path, stack=f"{status}\t{_ID}")
    assert (code, said, calls) == (0, f"{_STACK} is {status}\n", [])


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_one_that_never_stood_is_deleted_as_the_rooms_role(tmp_path: Path, status: str) -> None:
    code, _, (call,) = _run(tmp_path, stack=f"{status}\t{_ID}", after="DELETE_COMPLETE\tNone")
    assert code == 0
    assert f"--region eu-west-1 --output text --stack-name {_ID} --role-arn arn:execution" in call


def test_what_cannot_be_deleted_fails_with_cloudformations_words(tmp_path: Path) -> None:
    reason = "The following resource(s) failed to delete: [Vpc]"
    code, said, _ = _run(tmp_path, stack=f"ROLLBACK_FAILED\t{_ID}", after=f"DELETE_FAILED\t{reason}")
    assert code == 1
    assert f"DELETE_FAILED {reason}" in said


def test_no_stack_is_in_order_and_a_refusal_is_not(tmp_path: Path) -> None:
    assert _run(tmp_path, error=f"Stack with id {_STACK} does not exist")[0] == 0
    code, said, _ = _run(tmp_path, error="AccessDenied: cloudformation:DescribeStacks")
    assert code == 1
    assert "cloudformation:DescribeStacks" in said


def test_a_role_that_cannot_be_assumed_fails_it(tmp_path: Path) -> None:
    code, said, calls = _run(tmp_path, denied="", stack=f"ROLLBACK_COMPLETE\t{_ID}")
    assert code != 0
    assert "sts:AssumeRole" in said
    assert calls == []
