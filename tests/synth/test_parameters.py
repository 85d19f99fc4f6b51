"""Parameters and tiers: what the component gets of them, and what goes to the tenant's own synth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from component import build
from constructs_lib.saas.component_spec import Tenant
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan
from stacks.saas.tenants import build_tenants
from tests.synth.assembly import Template, read_templates
from tests.synth.cases import artifact_keys
from tests.synth.configurations import AWS, WORKLOAD_ACCOUNTS, example
from tests.synth.synthesis import feature_flags

# Legal values that a shell and JSON would have much to say to.
DOMAIN = (("domain", "acme.example.com"),)
SAYS = DeploymentRecord(
    id="4711-acme",
    type="silo",
    account=WORKLOAD_ACCOUNTS[0],
    region="eu-west-1",
    standby_region="us-east-1",
    size="",
    tier="gold",
    tags=(("Tier", "mine"),),
    parameters=(*DOMAIN, ("license", "acme/license")),
    external_id="$(reboot) ; \u00e9",
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Tenant[Any]]:
    """What `build` of the users' zone is told of a synth's tenant, in each of its places."""
    found: list[Tenant[Any]] = []

    def builds(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        found.append(tenant)
        build(stage, tenant)

    monkeypatch.setattr("stacks.saas.component.build", builds)
    return found


def synthesized(folder: Path, record: DeploymentRecord) -> list[Template]:
    plan, out = folder / "plan.json", folder / "assembly"
    TenantsPlan(artifact_keys=artifact_keys(AWS), deployments=(record,)).write(plan)
    app = cdk.App(outdir=str(out), context=feature_flags(), analytics_reporting=False)
    build_tenants(app, configuration=example(), plan_file=str(plan))
    app.synth()
    return read_templates(out, place=AWS, given=())


def variables(templates: list[Template]) -> Mapping[str, str]:
    (pipeline,) = (one for one in templates if one.stack.endswith("-pipeline"))
    projects = (one["Properties"] for _, one in pipeline.resources("AWS::CodeBuild::Project"))
    (synth,) = (one for one in projects if one["Name"].endswith("-synth"))
    return {one["Name"]: one["Value"] for one in synth["Environment"]["EnvironmentVariables"]}


def test_the_component_gets_all_that_is_declared_and_its_synth_what_the_row_says(
    told: list[Tenant[Any]], tmp_path: Path
) -> None:
    """Given a row with a tier, the row comes first; both places get the same; one variable takes the row along."""
    templates = synthesized(tmp_path, SAYS)
    assert [tenant.region for tenant in told] == ["eu-west-1", "us-east-1"]
    for tenant in told:
        assert tenant.size == "large"
        assert tenant.tags == {"Tier": "mine"}
        assert tenant.parameters.items() >= {**dict(DOMAIN), "license": "acme/license", "plan": "full"}.items()
    given = variables(templates)
    assert set(given) == {*(f"DEPLOYMENT_{name}" for name in ("ID", "TYPE", "ACCOUNT", "REGION", "RECORD"))}
    assert DeploymentRecord.from_json(given["DEPLOYMENT_RECORD"]) == replace(SAYS, external_id="")
    assert {stack.stack for stack in templates} >= {"silo-4711-acme-pipeline", "silo-4711-acme-resources"}
    assert not any("reboot" in json.dumps(one.body) for one in templates)


def test_what_is_declared_but_not_given_changes_no_pipeline(told: list[Tenant[Any]], tmp_path: Path) -> None:
    """Given a row of before, then its component has defaults, and its pipeline is what it was."""
    plain = replace(SAYS, size="small", tier="", tags=(), parameters=(), external_id="", standby_region="")
    given = variables(synthesized(tmp_path, plain))
    assert "DEPLOYMENT_RECORD" not in given
    (tenant,) = told
    assert tenant.parameters.items() >= {"domain": "none.example.com", "plan": "basic", "license": ""}.items()
