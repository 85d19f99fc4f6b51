"""Counting builds and installations in a template."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.builds import Costs, count


def action(provider: str, project: str = "") -> dict[str, Any]:
    return {"ActionTypeId": {"Provider": provider}, "Configuration": {"ProjectName": {"Ref": project}}}


def project(*commands: str) -> dict[str, Any]:
    phases = {"install": {"runtime-versions": {"python": "3.13"}}, "build": {"commands": list(commands)}}
    return {"Type": "AWS::CodeBuild::Project", "Properties": {"Source": {"BuildSpec": json.dumps({"phases": phases})}}}


def test_only_the_builds_of_the_stages_count_and_what_they_install() -> None:
    stages = [{"Actions": [action("S3")]}, {"Actions": [action("CodeBuild", "A"), action("CodeBuild", "B")]}]
    template = {
        "Resources": {
            "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Stages": stages}},
            "A": project(
                "python -m pip install -r requirements.txt", "npm ci && npm install -g aws-cdk", "python -m x"
            ),
            "B": project("if [ -f x ]; then true; else npm install -g aws-cdk; fi"),
            "Unused": project("npm ci"),
        }
    }
    assert count(template) == Costs(builds=2, always=3, when_changed=0)


def test_a_pipeline_that_changes_itself_starts_over() -> None:
    costs = Costs(builds=2, always=1, when_changed=1)
    assert costs.told() == "2 builds, 1 install"
    assert costs.told(changed=True) == "4 builds, 3 installs"
