"""A tenant's self-mutation: when it ends before anything is installed, and that it deploys otherwise."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from buildspecs import self_mutate

STACK = "silo-a-pipeline"
TEMPLATE = {"Resources": {"Flag": {"Type": "T", "Properties": {"On": True}}}}
INSTALL = ["npm", "install", "-g", "aws-cdk@1.2.3"]
DEPLOY = ["cdk", "--app", ".", "deploy", STACK, "--require-approval", "never", "--verbose"]


class Image:
    """The build image: answers the AWS CLI's questions and remembers every other command."""

    def __init__(self) -> None:
        self.stack: dict[str, Any] = {"StackStatus": "UPDATE_COMPLETE", "Tags": [{"Key": "team", "Value": "x"}]}
        self.template: Any = json.loads(json.dumps(TEMPLATE))
        self.refusal = ""
        self.codes: dict[str, int] = {}
        self.run: list[list[str]] = []

    def __call__(self, command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if command[0] != "aws":
            self.run.append(list(command))
            return subprocess.CompletedProcess(command, self.codes.get(command[0], 0))
        assert command[3:5] == ["--stack-name", STACK]
        if self.refusal:
            return subprocess.CompletedProcess(command, 254, "", self.refusal)
        answers = {"describe-stacks": {"Stacks": [self.stack]}, "get-template": {"TemplateBody": self.template}}
        return subprocess.CompletedProcess(command, 0, json.dumps(answers[command[2]]), "")


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    """In an assembly with one stack, which is deployed as it is there."""
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t.json", "tags": {"team": "x"}}}
    assets = {"type": "cdk:asset-manifest"}
    write(tmp_path, {STACK: {**artifact, "dependencies": [f"{STACK}.assets"]}, f"{STACK}.assets": assets})
    (tmp_path / "t.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    (tmp_path / "package.json").write_text('{"devDependencies": {"aws-cdk": "1.2.3"}}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    image = Image()
    monkeypatch.setattr(subprocess, "run", image)
    return image


def write(folder: Path, artifacts: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")


def test_what_is_deployed_as_it_was_synthesized_installs_nothing(
    image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    assert self_mutate.main(STACK) == 0
    assert image.run == []
    assert capsys.readouterr().out == f"{STACK} is deployed as it was synthesized: nothing to do\n"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"template": {**TEMPLATE, "Description": "older"}}, "its template has changed"),
        ({"template": {"Resources": {"Flag": {"Type": "T", "Properties": {"On": 1}}}}}, "its template has changed"),
        ({"template": "Resources: {}"}, "its template has changed"),
        ({"stack": {"StackStatus": "UPDATE_COMPLETE", "Tags": []}}, "its tags have changed"),
        ({"stack": {"StackStatus": "ROLLBACK_COMPLETE"}}, "it is ROLLBACK_COMPLETE"),
        ({"stack": {"StackStatus": "UPDATE_IN_PROGRESS"}}, "it is UPDATE_IN_PROGRESS"),
        ({"refusal": "AccessDenied"}, "it could not be compared with what is deployed: AccessDenied"),
        ({"stack": {}}, "it could not be compared with what is deployed: 'StackStatus'"),
    ],
)
def test_any_difference_and_any_doubt_is_deployed(
    image: Image, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], said: str
) -> None:
    vars(image).update(changed)
    assert self_mutate.main(STACK) == 0
    assert image.run == [INSTALL, DEPLOY]
    assert said in capsys.readouterr().out


def test_a_stack_with_others_that_it_needs_is_deployed_with_them(image: Image) -> None:
    stack = {"type": "aws:cloudformation:stack"}
    write(Path(), {STACK: {**stack, "dependencies": ["support"]}, "support": stack})
    assert self_mutate.main(STACK) == 0
    assert image.run == [INSTALL, DEPLOY]


@pytest.mark.parametrize("failing", ["npm", "cdk"])
def test_what_fails_ends_it_with_its_exit_code(image: Image, failing: str) -> None:
    image.refusal, image.codes = "AccessDenied", {failing: 7}
    assert self_mutate.main(STACK) == 7
    assert image.run[-1][0] == failing
