"""Gated repositories: which pushes start a scan of which commit, whose code runs, and the little that it may do."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from config.models.gates import Section
from stacks.foundation import Foundation
from stacks.gates.stack import GatesStack
from tests.synth.assembly import Template, flat
from tests.synth.configurations import AWS_FROM_EUROPE, TOOLCHAIN_ACCOUNT, configuration
from tests.synth.rules.catalog import RULES, Rule
from tests.synth.rules.policies import statements
from tests.synth.synthesis import add_all_rules, feature_flags, synthesize_and_report

_SECTION = {
    "gates": [
        {"name": "secrets", "scanner": "kingfisher"},
        {"name": "packages", "scanner": "snyk", "scans": "repositories", "options": {"secret": "snyk/token"}},
    ],
    "repositories": [
        {
            "name": "payments",
            "source": {"provider": "codecommit", "repository": "Payments.git"},
            "branches": ["main", "feature/*"],
            "gates": ["secrets", "packages"],
        }
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
        stack="granary-gates", account=TOOLCHAIN_ACCOUNT, region="eu-west-1", place=AWS_FROM_EUROPE, body=body
    )


def only(template: Template, kind: str) -> dict[str, Any]:
    ((_, resource),) = template.resources(kind)
    return dict(resource["Properties"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_every_rule(template: Template, rule: Rule) -> None:
    assert rule(template) == []


def test_a_push_starts_a_build_of_that_commit(template: Template) -> None:
    rule = only(template, "AWS::Events::Rule")
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.codecommit"]
    assert [flat(arn) for arn in pattern["resources"]] == [
        f"arn:${{AWS::Partition}}:codecommit:eu-west-1:{TOOLCHAIN_ACCOUNT}:Payments.git"
    ]
    assert pattern["detail"] == {
        "event": ["referenceCreated", "referenceUpdated"],
        "referenceType": ["branch"],
        "referenceName": [{"wildcard": "main"}, {"wildcard": "feature/*"}],
    }
    (target,) = rule["Targets"]
    given = target["InputTransformer"]
    assert given["InputPathsMap"] == {
        "detail-commitId": "$.detail.commitId",
        "detail-referenceName": "$.detail.referenceName",
    }
    rendered = given["InputTemplate"].replace("<detail-commitId>", '"c0"').replace("<detail-referenceName>", '"main"')
    assert json.loads(rendered) == {
        "secondarySourcesVersionOverride": [{"sourceIdentifier": "repository", "sourceVersion": "c0"}],
        "environmentVariablesOverride": [
            {"name": "GATED_COMMIT", "type": "PLAINTEXT", "value": "c0"},
            {"name": "GATED_BRANCH", "type": "PLAINTEXT", "value": "main"},
        ],
    }


def test_the_factory_s_own_code_runs_and_the_repository_is_only_there(template: Template) -> None:
    project = only(template, "AWS::CodeBuild::Project")
    assert project["Source"]["Type"] == "S3"
    assert "-assets-" in project["Source"]["Location"]
    commands = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    assert commands == ["python -m buildspecs.gates.repository_gates"]
    (secondary,) = project["SecondarySources"]
    assert (secondary["Type"], secondary["SourceIdentifier"]) == ("CODECOMMIT", "repository")
    assert "GitCloneDepth" not in secondary, "the whole history"


def test_an_event_that_starts_nothing_and_a_build_that_fails_are_told(template: Template) -> None:
    ((queue, _),) = template.resources("AWS::SQS::Queue")
    (target,) = only(template, "AWS::Events::Rule")["Targets"]
    assert flat(target["DeadLetterConfig"]["Arn"]) == f"${{{queue}.Arn}}"
    alarms = [alarm["Properties"] for _, alarm in template.resources("AWS::CloudWatch::Alarm")]
    assert {alarm["MetricName"] for alarm in alarms} == {"ApproximateNumberOfMessagesVisible", "FailedBuilds"}
    assert all(len(alarm["AlarmActions"]) == 2 for alarm in alarms)


def test_what_was_found_is_in_reports_of_its_own_and_the_outcome_is_exported(template: Template) -> None:
    buildspec = json.loads(only(template, "AWS::CodeBuild::Project")["Source"]["BuildSpec"])
    assert {one["file-format"] for one in buildspec["reports"].values()} == {"JUNITXML", "CUCUMBERJSON"}
    assert buildspec["env"]["exported-variables"] == ["GATES_OUTCOME", "GATES_BLOCKING", "GATES_REPORT"]
    assert buildspec["phases"]["build"]["finally"], "whatever the gates come to"
    (groups,) = [one.resources for one in statements(template) if "codebuild:CreateReport" in one.actions]
    assert [flat(arn) for arn in groups] == [
        f"arn:${{AWS::Partition}}:codebuild:eu-west-1:{TOOLCHAIN_ACCOUNT}:report-group/granary-gates-payments-*"
    ]


def test_it_may_pull_this_repository_and_write_below_its_name(template: Template) -> None:
    ((reports, _),) = template.resources("AWS::S3::Bucket")
    here = f"eu-west-1:{TOOLCHAIN_ACCOUNT}"
    allowed = {
        (action, flat(resource))
        for one in statements(template)
        if one.kind == "identity"
        for action in one.actions
        for resource in one.resources
        if action.partition(":")[0] not in ("kms", "logs", "codebuild")
    }
    code = {(action, where) for action, where in allowed if "-assets-" in where}
    assert {action for action, _ in code} == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
    }
    assert allowed - code == {
        ("codecommit:GitPull", f"arn:${{AWS::Partition}}:codecommit:{here}:Payments.git"),
        ("s3:PutObject", f"${{{reports}.Arn}}/findings/payments/*"),
        ("s3:PutObject", f"${{{reports}.Arn}}/verdicts/payments/*"),
        ("events:PutEvents", f"arn:${{AWS::Partition}}:events:{here}:event-bus/granary-lifecycle"),
        ("secretsmanager:GetSecretValue", f"arn:${{AWS::Partition}}:secretsmanager:{here}:secret:snyk/token-??????"),
    }
