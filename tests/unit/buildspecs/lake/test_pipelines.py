"""Environments that have no pipelines get them; those that have are left alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from buildspecs.lake.pipelines import __main__ as subject
from buildspecs.lake.synth import write
from config.loader import load
from lambdas.common.errors import GranaryError
from stacks.lake.plan import LakePlan, Part, Wanted

_ROOT = Path(__file__).parents[4]
_EXAMPLES = _ROOT / "config" / "examples" / "all"


class Stacks:
    """CloudFormation, with these stacks."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName not in self.names:
            told: Any = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": told}, "DescribeStacks")
        return {"Stacks": [{}]}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was deployed; a stack called `...-etl-pipeline` of prod cannot be."""
    found: list[str] = []

    def run(command: list[str], **_: Any) -> Any:
        found.append(command[-1])
        return type("Done", (), {"returncode": int(command[-1] == "granary-lake-prod-etl-pipeline")})

    monkeypatch.setattr(subject, "load", lambda: load(_EXAMPLES))
    monkeypatch.setattr(subject, "artifact_keys", lambda regions, names: dict.fromkeys(regions, "arn"))
    monkeypatch.setattr(subject, "synthesize", lambda plan, out: out.mkdir())
    monkeypatch.setattr(subject, "leave_self_mutation", lambda out: None)
    monkeypatch.setattr(subprocess, "run", run)
    return found


def test_absent_ones_are_deployed_even_after_one_has_failed(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stands = Stacks("granary-lake-dev-infrastructure-pipeline")
    monkeypatch.setattr(subject, "client", lambda _: stands)
    assert subject.main() == 1
    assert made == [
        "granary-lake-dev-etl-pipeline",
        "granary-lake-prod-infrastructure-pipeline",
        "granary-lake-prod-etl-pipeline",
    ]
    told = capsys.readouterr().out
    assert "1 pipelines stand, 3 are to be made" in told
    assert "FAILED: granary-lake-prod-etl-pipeline" in told


def test_those_that_stand_are_left_alone(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    every = [f"granary-lake-{name}-{part.value}-pipeline" for name in ("dev", "prod") for part in Part]
    monkeypatch.setattr(subject, "client", lambda _: Stacks(*every))
    assert subject.main() == 0
    assert made == []


def test_what_cannot_be_told_fails(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied:
        def describe_stacks(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    monkeypatch.setattr(subject, "client", lambda _: Denied())
    with pytest.raises(ClientError):
        subject.main()
    assert made == []


def test_a_source_without_the_environment_says_what_to_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_PIPELINE", "staging/etl")
    monkeypatch.setattr(write, "load", lambda: load(_EXAMPLES))
    with pytest.raises(GranaryError, match="no environment staging: merge the commit"):
        write.main()


def test_a_source_without_a_lake_says_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(_EXAMPLES, tmp_path / "config")
    for name in ("lake", "lake-permissions"):
        (tmp_path / "config" / f"{name}.yaml").unlink()
    monkeypatch.setenv("LAKE_PIPELINE", "dev/etl")
    monkeypatch.setattr(write, "load", lambda: load(tmp_path / "config"))
    with pytest.raises(GranaryError, match="no environment dev"):
        write.main()


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And by the version before: what it does not know is left alone."""
    plan = LakePlan(artifact_keys={"us-east-1": "arn"}, pipelines=(Wanted.of("dev/etl"),))
    plan.write(tmp_path / "plan.json")
    assert LakePlan.read(tmp_path / "plan.json") == plan
    (tmp_path / "later.json").write_text(plan.to_json()[:-1] + ', "later": 1}', encoding="utf-8")
    assert LakePlan.read(tmp_path / "later.json") == plan
    with pytest.raises(ValueError, match="crawl"):
        Wanted.of("dev/crawl")
