"""`execution-policy`: the committed file, and what a configuration adds to it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.app import app
from cli.common.exits import Exit
from config.loader import CONFIG_DIR
from tests.unit.config.files import WORKLOADS, write


def test_of_the_committed_configuration_it_is_the_file() -> None:
    result = CliRunner().invoke(app, ["execution-policy"])
    assert result.exit_code == 0, result.stderr
    file = CONFIG_DIR / "policies" / "workload-execution.json"
    assert json.loads(result.stdout) == json.loads(file.read_text(encoding="utf-8"))


def test_it_has_what_the_configuration_names(tmp_path: Path) -> None:
    given = {"permissions_boundary": "corporate", "place": {"vpc": "/landing/vpc"}}
    write(tmp_path, workloads={**WORKLOADS, **given})
    result = CliRunner().invoke(app, ["--config", str(tmp_path), "execution-policy"])
    assert result.exit_code == 0, result.stderr
    assert "arn:*:iam::*:policy/corporate" in result.stdout
    assert "parameter/landing/vpc" in result.stdout


def test_a_policy_that_is_too_long_comes_in_parts_that_the_bootstrap_template_names(tmp_path: Path) -> None:
    write(tmp_path, workloads={**WORKLOADS, "permissions_boundary": "corporate"})
    statements = [
        {
            "Sid": f"S{number}",
            "Effect": "Allow",
            "Action": [f"ecs:{'A' * 300}{number}"],
            "Resource": "arn:*:ecs:*:*:x/silo-*",
        }
        for number in range(40)
    ]
    (tmp_path / "policies").mkdir()
    file = tmp_path / "policies" / "workload-execution.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}), encoding="utf-8")

    def asked(*words: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(tmp_path), *words])

    whole = asked("execution-policy")
    assert (whole.exit_code, whole.stdout) == (Exit.USAGE, "")
    assert "granary-workload-execution, granary-workload-execution-2, granary-workload-execution-3" in whole.stderr
    found = [json.loads(asked("execution-policy", "--part", part).stdout)["Statement"] for part in "123"]
    assert [one["Sid"] for some in found for one in some] == [one["Sid"] for one in statements]
    assert asked("execution-policy", "--part", "4").exit_code == Exit.NOT_FOUND
    template = json.loads(asked("bootstrap-template").stdout)
    attached = template["Resources"]["CloudFormationExecutionRole"]["Properties"]["ManagedPolicyArns"]
    assert [arn["Fn::Sub"].rpartition("/")[2] for arn in attached] == [
        "granary-workload-execution",
        "granary-workload-execution-2",
        "granary-workload-execution-3",
    ]


def test_a_file_that_is_no_policy_is_told(tmp_path: Path) -> None:
    write(tmp_path, workloads=WORKLOADS)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "workload-execution.json").write_text("{", encoding="utf-8")
    result = CliRunner().invoke(app, ["--config", str(tmp_path), "execution-policy"])
    assert result.exit_code == Exit.USAGE
    assert "is no policy" in result.stderr
