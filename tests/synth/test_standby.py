"""A tenant that stands in two Regions: one pipeline, a stage a Region, the same stack in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan
from stacks.saas.tenants import build_tenants
from tests.synth.assembly import Template, read_templates
from tests.synth.cases import artifact_keys
from tests.synth.configurations import AWS, WORKLOAD_ACCOUNTS, example
from tests.synth.synthesis import feature_flags

PIPELINE, COMPONENT = "silo-acme-pipeline", "silo-acme-resources"
HOME, AWAY = "us-east-1", "eu-west-1"
PLAIN = DeploymentRecord(id="acme", type="silo", account=WORKLOAD_ACCOUNTS[0], region=AWAY)
BOTH = replace(PLAIN, standby_region=HOME)


def synthesized(folder: Path, record: DeploymentRecord) -> list[Template]:
    """The templates of one tenant; every room is on, and one ends the deployment with an experiment."""
    plan, out = folder / "plan.json", folder / "assembly"
    TenantsPlan(artifact_keys=artifact_keys(AWS), deployments=(record,)).write(plan)
    app = cdk.App(outdir=str(out), context=feature_flags(), analytics_reporting=False)
    build_tenants(app, configuration=example(), plan_file=str(plan))
    app.synth()
    return read_templates(out, place=AWS, given=())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    return synthesized(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    return synthesized(tmp_path_factory.mktemp("both"), BOTH)


def pipeline(templates: Sequence[Template]) -> Mapping[str, Any]:
    (template,) = (one for one in templates if one.stack == PIPELINE)
    ((_, resource),) = template.resources("AWS::CodePipeline::Pipeline")
    properties: Mapping[str, Any] = resource["Properties"]
    return properties


def components(templates: Sequence[Template]) -> dict[str, Template]:
    return {one.region: one for one in templates if one.stack == COMPONENT}


def test_the_standby_is_a_stage_of_its_own_behind_the_primary(both: list[Template]) -> None:
    names = [stage["Name"] for stage in pipeline(both)["Stages"]]
    assert names[-2:] == ["Deploy", f"Standby-{HOME}"]
    # An action that names no Region is where the pipeline is.
    deployed = [
        {action.get("Region", HOME) for action in stage["Actions"] if "StackName" in action["Configuration"]}
        for stage in pipeline(both)["Stages"][-2:]
    ]
    assert deployed == [{AWAY}, {HOME}]
    assert [stage["OnFailure"]["Result"] for stage in pipeline(both)["Stages"][-2:]] == ["ROLLBACK", "ROLLBACK"]


def test_what_comes_after_a_deployment_ends_the_primarys_stage_alone(both: list[Template]) -> None:
    primary, standby = (
        [action["Name"] for action in stage["Actions"] if action["ActionTypeId"]["Provider"] == "Lambda"]
        for stage in pipeline(both)["Stages"][-2:]
    )
    # Each stage asks for itself whose its stacks are.
    assert (primary[0], standby) == ("Whose", ["Whose"])
    assert len(primary) > 1


def test_both_places_have_the_same_template_and_the_primarys_is_what_it_was(
    plain: list[Template], both: list[Template]
) -> None:
    """Given a standby, then nothing of the primary's stack is another, nor are its names."""
    before, after = components(plain), components(both)
    assert set(after) == {AWAY, HOME}
    assert after[AWAY].body == before[AWAY].body
    assert set(after[HOME].body["Resources"]) == set(before[AWAY].body["Resources"])


def test_the_pipeline_keeps_its_artifacts_in_every_region_that_it_works_in(
    plain: list[Template], both: list[Template]
) -> None:
    assert {store["Region"] for store in pipeline(both)["ArtifactStores"]} == {HOME, AWAY}
    assert {store["Region"] for store in pipeline(plain)["ArtifactStores"]} == {HOME, AWAY}


def test_the_synth_is_told_the_standby(both: list[Template]) -> None:
    (template,) = (one for one in both if one.stack == PIPELINE)
    texts = [
        variable["Value"]
        for _, project in template.resources("AWS::CodeBuild::Project")
        for variable in project["Properties"]["Environment"].get("EnvironmentVariables", ())
        if variable["Name"] == "DEPLOYMENT_RECORD"
    ]
    assert [DeploymentRecord.from_json(text) for text in texts] == [BOTH]
