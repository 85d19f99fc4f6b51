"""Gated repositories behind a connection: each push is an execution of its own, of that commit, with its history."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest

from config.models.gates import Section
from stacks.foundation import Foundation
from stacks.gates.stack import GatesStack
from tests.synth.assembly import Template, as_list, flat
from tests.synth.configurations import AWS_FROM_EUROPE, TOOLCHAIN_ACCOUNT, configuration
from tests.synth.rules.catalog import RULES, Rule
from tests.synth.rules.policies import statements
from tests.synth.synthesis import add_all_rules, feature_flags, synthesize_and_report
from tests.synth.test_repository_scan import only

_HERE = f"eu-west-1:{TOOLCHAIN_ACCOUNT}"
_CONNECTION = f"arn:aws:codeconnections:{_HERE}:connection/0a1b"
_SOURCE = {"provider": "connection", "repository": "group/team/payments", "connection_arn": _CONNECTION}
_SECTION = {
    "gates": [{"name": "secrets", "scanner": "kingfisher"}],
    "repositories": [
        {"name": "payments", "source": _SOURCE, "branches": ["feature/*", "main", "a{b}"], "gates": ["secrets"]}
    ],
}


@pytest.fixture(scope="module")
def template() -> Template:
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    section = Section.model_validate(_SECTION)
    GatesStack(app, foundation=Foundation.of(configuration(AWS_FROM_EUROPE)), section=section)
    add_all_rules(app)
    assert not synthesize_and_report(app)
    body = app.synth().get_stack_by_name("granary-gates").template
    return Template(
        stack="granary-gates",
        account=TOOLCHAIN_ACCOUNT,
        region="eu-west-1",
        place=AWS_FROM_EUROPE,
        body=body,
        given=(_CONNECTION,),
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_every_rule(template: Template, rule: Rule) -> None:
    assert rule(template) == []


def test_a_push_of_a_branch_that_matches_is_an_execution_that_no_other_supersedes(template: Template) -> None:
    pipeline = only(template, "AWS::CodePipeline::Pipeline")
    assert (pipeline["Name"], pipeline["PipelineType"], pipeline["ExecutionMode"]) == (
        "granary-gates-payments",
        "V2",
        "PARALLEL",
    )
    (trigger,) = pipeline["Triggers"]
    assert trigger["GitConfiguration"] == {
        "SourceActionName": "Repository",
        "Push": [{"Branches": {"Includes": ["feature/**", "main", "a\\{b\\}"]}}],
    }
    assert not list(template.resources("AWS::Events::Rule"))


def test_the_build_gets_the_commit_its_branch_and_all_of_its_history(template: Template) -> None:
    source, scan = only(template, "AWS::CodePipeline::Pipeline")["Stages"]
    pushed, code = source["Actions"]
    assert pushed["ActionTypeId"]["Provider"] == "CodeStarSourceConnection"
    assert pushed["Configuration"] == {
        "ConnectionArn": _CONNECTION,
        "FullRepositoryId": "group/team/payments",
        "BranchName": "main",
        "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
    }
    assert pushed["OutputArtifacts"] == [{"Name": "repository"}], "CODEBUILD_SRC_DIR_repository"
    assert code["Configuration"]["PollForSourceChanges"] is False
    (build,) = scan["Actions"]
    assert build["Configuration"]["PrimarySource"] == "code"
    assert [one["Name"] for one in build["InputArtifacts"]] == ["code", "repository"]
    variables = {one["name"]: one["value"] for one in json.loads(build["Configuration"]["EnvironmentVariables"])}
    assert variables == {
        "GATED_COMMIT": f"#{{{pushed['Namespace']}.CommitId}}",
        "GATED_BRANCH": f"#{{{pushed['Namespace']}.BranchName}}",
    }


def test_the_factory_s_own_code_runs(template: Template) -> None:
    project = only(template, "AWS::CodeBuild::Project")
    assert project["Source"]["Type"] == "CODEPIPELINE"
    assert "SecondarySources" not in project
    commands = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    assert commands == ["python -m buildspecs.gates.repository_gates"]


def test_an_execution_that_comes_to_no_build_is_told_too(template: Template) -> None:
    alarms = [alarm["Properties"] for _, alarm in template.resources("AWS::CloudWatch::Alarm")]
    metrics = {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms}
    assert ("AWS/CodePipeline", "FailedPipelineExecutions") in metrics
    assert ("AWS/CodeBuild", "FailedBuilds") in metrics


def test_both_roles_may_use_the_connection_and_the_build_replaces_no_artifact(template: Template) -> None:
    both = [one for one in statements(template) if "codeconnections:UseConnection" in one.actions]
    assert len(both) == 2
    for one in both:
        assert set(one.actions) == {"codeconnections:UseConnection", "codestar-connections:UseConnection"}
        assert [flat(arn) for arn in as_list(one.resources)] == [_CONNECTION]
    artifacts = f"granary-artifacts-{TOOLCHAIN_ACCOUNT}-eu-west-1/"
    places = [
        (action, flat(resource).partition(":::")[2])
        for one in statements(template)
        for action in one.actions
        for resource in one.resources
        if action.startswith("s3:Put") or artifacts in flat(resource)
    ]
    assert {where for _, where in places if where.startswith("granary-artifacts")} == {f"{artifacts}granary-gates-*"}
    assert sum(action == "s3:PutObject" and where.startswith(artifacts) for action, where in places) == 1
