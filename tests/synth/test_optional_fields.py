"""What the optional fields of a row change in a tenant's templates, and what they leave alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from buildspecs.saas.provision.quotas import TENANT_PROJECTS
from component import SPEC
from lambdas.common.names import DEPLOYMENT_TAG, TYPE_TAG
from lambdas.saas.model.record import DeploymentRecord, Size, Wanted
from local_cloud.factory.zone import NOTHING_RUNS, RUNS
from stacks.saas.plan import TenantsPlan
from stacks.saas.tenants import build_tenants
from stacks.tags import tag_stacks, tag_whole
from tests.synth.assembly import Template, read_templates
from tests.synth.cases import artifact_keys
from tests.synth.configurations import AWS, WORKLOAD_ACCOUNTS, configuration
from tests.synth.synthesis import feature_flags

PIPELINE, COMPONENT = "silo-acme-pipeline", "silo-acme-resources"
PLAIN = DeploymentRecord(id="acme", type="silo", account=WORKLOAD_ACCOUNTS[0], region="eu-west-1")
# Legal values that a shell would have much to say to.
TAGS = (("cost-center", "12 34"), ("owner", "a@b.c -- /etc:x=y"))
KINDS = {"runs": RUNS, "nothing-runs": NOTHING_RUNS}


def synthesized(folder: Path, record: DeploymentRecord, *, component: Mapping[str, Any] = RUNS) -> dict[str, Template]:
    """The templates of one tenant, by stack; without the rules, which every other test of this floor applies."""
    plan, out = folder / "plan.json", folder / "assembly"
    TenantsPlan(artifact_keys=artifact_keys(AWS), deployments=(record,)).write(plan)
    app = cdk.App(outdir=str(out), context=feature_flags(), analytics_reporting=False)
    build_tenants(app, configuration=configuration(AWS, component=component), plan_file=str(plan))
    app.synth()
    return {template.stack: template for template in read_templates(out, place=AWS, given=())}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    return synthesized(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module", params=sorted(KINDS))
def special(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """A large tenant with tags, of each of the component's settings for the local cloud."""
    record = replace(PLAIN, size="large", tags=TAGS)
    return synthesized(tmp_path_factory.mktemp("special"), record, component=KINDS[request.param])


def synth_project(templates: Mapping[str, Template]) -> Mapping[str, Any]:
    projects = dict(templates[PIPELINE].resources("AWS::CodeBuild::Project"))
    (found,) = (one["Properties"] for one in projects.values() if one["Properties"]["Name"].endswith("-synth"))
    properties: Mapping[str, Any] = found
    return properties


def variables(templates: Mapping[str, Template]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in synth_project(templates)["Environment"]["EnvironmentVariables"]}


def test_what_decides_nothing_changes_no_template(plain: dict[str, Template], tmp_path: Path) -> None:
    record = replace(PLAIN, ring="early", state=Wanted.SUSPENDED.value, allow_move=True, allow_adopt="any")
    assert record.digest() == PLAIN.digest()
    other = synthesized(tmp_path, record)
    assert {stack: template.body for stack, template in other.items()} == {
        stack: template.body for stack, template in plain.items()
    }


def test_a_record_without_optional_fields_is_passed_on_in_four_variables(plain: dict[str, Template]) -> None:
    names = {"DEPLOYMENT_ID", "DEPLOYMENT_TYPE", "DEPLOYMENT_ACCOUNT", "DEPLOYMENT_REGION"}
    assert set(variables(plain)) == names


def test_the_synth_gets_the_whole_record_and_no_command_a_part_of_it(special: dict[str, Template]) -> None:
    passed = DeploymentRecord.from_json(variables(special)["DEPLOYMENT_RECORD"])
    assert passed == replace(PLAIN, size="large", tags=TAGS)
    for _, project in special[PIPELINE].resources("AWS::CodeBuild::Project"):
        assert not any(value in project["Properties"]["Source"]["BuildSpec"] for _, value in TAGS)


def test_what_is_passed_on_changes_the_pipeline_so_that_it_starts_by_itself(
    plain: dict[str, Template], special: dict[str, Template]
) -> None:
    def synth_action(templates: Mapping[str, Template]) -> str:
        ((_, pipeline),) = templates[PIPELINE].resources("AWS::CodePipeline::Pipeline")
        return json.dumps(pipeline["Properties"]["Stages"][1])

    assert synth_action(plain) != synth_action(special)


def test_a_rows_tags_come_before_the_configured_ones_in_whatever_case() -> None:
    """IAM refuses two keys that differ in their case only."""
    app = cdk.App()
    stage = cdk.Stage(app, "Deploy")
    stack = cdk.Stack(stage, "Component")
    cdk.CfnResource(stack, "Any", type="AWS::SNS::Topic")
    tag_stacks(stage, {"team": "platform", "application": "granary"}, but=["Team"])
    assert stack.tags.tag_values() == {"application": "granary"}


def test_a_stacks_own_tags_come_before_the_configured_ones() -> None:
    """A tenant's pipeline has those of its row, and the app gives all stacks the configured ones afterwards."""
    app = cdk.App()
    stack = cdk.Stack(app, "Pipeline")
    topic = cdk.aws_sns.CfnTopic(stack, "Any")
    tag_whole(stack, "Team", "tenant")
    tag_stacks(app, {"team": "platform", "application": "granary"})
    assert stack.tags.tag_values() == {"Team": "tenant", "application": "granary"}
    app.synth()
    assert topic.tags.tag_values() == {"Team": "tenant", "application": "granary"}


def test_what_a_pipeline_costs_is_the_tenants(special: dict[str, Template]) -> None:
    """Given tags of a row, then the pipeline and its build projects bear them, with the tenant's id and type."""
    wanted = {*TAGS, (DEPLOYMENT_TAG, "acme"), (TYPE_TAG, "silo")}
    template = special[PIPELINE]
    resources = [one["Properties"] for _, one in template.resources() if "Tags" in one["Properties"]]
    assert len(resources) == len([*template.resources("AWS::CodeBuild::Project")]) + 1
    for properties in resources:
        assert {(tag["Key"], tag["Value"]) for tag in properties["Tags"]} == wanted


def test_the_tags_are_on_the_stack_and_on_what_it_contains(special: dict[str, Template]) -> None:
    template = special[COMPONENT]
    resources = [resource["Properties"] for _, resource in template.resources()]
    for properties in resources:
        assert {(tag["Key"], tag["Value"]) for tag in properties["Tags"]} == {*TAGS, (DEPLOYMENT_TAG, "acme")}
    ((_, pipeline),) = special[PIPELINE].resources("AWS::CodePipeline::Pipeline")
    (prepare,) = (
        action["Configuration"]
        for action in pipeline["Properties"]["Stages"][-1]["Actions"]
        if "TemplatePath" in action["Configuration"]
    )
    file = prepare["TemplateConfiguration"].partition("::")[2]
    assert template.path
    told = json.loads((template.path.parents[1] / file).read_text(encoding="utf-8"))
    factory = "granary/111111111111/us-east-1"
    assert told == {"Tags": {**dict(TAGS), DEPLOYMENT_TAG: "acme", "granary:factory": factory}}


def test_the_size_reaches_the_component(plain: dict[str, Template], tmp_path: Path) -> None:
    """What it comes to is the component's business, as long as a template tells."""
    large = synthesized(tmp_path, replace(PLAIN, size="large"))
    assert large[COMPONENT].body != plain[COMPONENT].body


def test_the_pre_flight_counts_what_a_tenant_takes(plain: dict[str, Template], special: dict[str, Template]) -> None:
    """Given the templates of a tenant, when they are counted, then the quotas' needs are the same numbers."""
    assert len(list(plain[PIPELINE].resources("AWS::CodeBuild::Project"))) == TENANT_PROJECTS
    assert list(plain[PIPELINE].resources("AWS::IAM::Role")) == []


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_the_component_says_itself_what_it_takes(settings: Mapping[str, Any], tmp_path: Path) -> None:
    its = SPEC.needs(SPEC.settings.model_validate(settings), Size(PLAIN.size))
    made = synthesized(tmp_path, PLAIN, component=settings)
    theirs = [template for stack, template in made.items() if stack != PIPELINE]
    roles = [one for template in theirs for one in template.resources("AWS::IAM::Role")]
    assert (len(theirs), len(roles)) == (its.stacks, its.roles)
