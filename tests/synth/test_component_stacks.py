"""Stacks of a component: under which names and with which roles they are deployed, and where their assets are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from component import SPEC
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.tenant_pipeline import SharedToolchain
from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import SaasNames
from local_cloud.factory.zone import NOTHING_RUNS
from stacks.buildspecs import commands_of
from stacks.saas.component import ComponentProps
from stacks.saas.tenant_pipeline import TenantPipelineStack
from tests.synth.assembly import Template
from tests.synth.asset_tenants import FILES
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, deployed

Read = Callable[[str], list[Template]]

WATCH = f"arn:aws:lambda:us-east-1:{TOOLCHAIN_ACCOUNT}:function:granary-pipeline-watch"
KEY = f"arn:aws:kms:eu-west-1:{TOOLCHAIN_ACCOUNT}:key/0a1b"


@pytest.mark.parametrize("name", ["tenants-asset", "tenants-runs", "factory-s3", "roles-aws", "roles-gov"])
def test_assets_of_components_are_apart_from_what_administrators_deploy(name: str, templates_of: Read) -> None:
    """Tenants' builds publish them; of a stack that is deployed by hand the CLI takes the template that is there."""
    found: dict[bool, int] = {}
    for template in templates_of(name):
        assert template.path
        if template.stack.endswith("-resources") or "-workload-roles" in template.stack:
            assets = json.loads(
                template.path.with_name(template.path.name.replace(".template.", ".assets.")).read_text()
            )
            for file in assets["files"].values():
                for place in file["destinations"].values():
                    apart = place["objectKey"].startswith("components/")
                    assert apart is template.stack.endswith("-resources")
                    found[apart] = found.get(apart, 0) + 1
    assert set(found) == {name.startswith("tenants")}


def _add_tenant() -> None:
    component = ComponentProps(settings=SPEC.settings(**NOTHING_RUNS), prefix="granary", qualifier="granary")
    names = SaasNames(prefix="granary")
    TenantPipelineStack(
        cdk.App(),
        env=cdk.Environment(account=TOOLCHAIN_ACCOUNT, region="us-east-1"),
        record=FILES,
        deployed=deployed(FILES),
        shared=SharedToolchain(names=names, artifact_keys={FILES.region: KEY, "us-east-1": KEY}, cli_version="2"),
        synth=commands_of("saas", "tenant_synth"),
        component=component,
        release_minutes=120,
        tags={},
        watch_arn=WATCH,
    )


def test_a_component_that_would_be_deployed_with_the_toolchains_roles_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a stack that says nothing of its roles, as somebody adds it, then the synth says what to give it."""
    monkeypatch.setattr("constructs_lib.common.targets.workload_synthesizer", lambda _: cdk.DefaultStackSynthesizer())
    with pytest.raises(GranaryError, match="silo-files-resources is not deployed with the roles of the workload"):
        _add_tenant()


@pytest.mark.parametrize("name", ["orders", "silo-file-data", "silo-files-data-pipeline"])
def test_a_component_with_a_stack_that_the_deploy_role_is_denied_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Given a name that is no tenant's, another tenant's, or that of a pipeline, then the synth says so, not Deploy."""
    monkeypatch.setattr("constructs_lib.saas.component_spec.component_stack_name", lambda *_: name)
    with pytest.raises(GranaryError, match=f"stack {name} of the component would be denied"):
        _add_tenant()


@pytest.mark.parametrize("place", [{"region": "us-east-1"}, {"account": "999999999999"}])
def test_a_component_with_a_stack_in_another_place_than_the_tenants_is_refused(
    monkeypatch: pytest.MonkeyPatch, place: dict[str, str]
) -> None:
    """Given a stack with a place of its own, where nobody has looked whose the names are, then the synth says so."""

    def build(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        env = cdk.Environment(**{"account": stage.account, "region": stage.region, **place})
        name, synthesizer = tenant.stack_name("edge"), tenant.synthesizer()
        sns.CfnTopic(cdk.Stack(stage, "Edge", stack_name=name, synthesizer=synthesizer, env=env), "Topic")

    monkeypatch.setattr("stacks.saas.component.build", build)
    told = f"stack silo-files-edge of the component is to be deployed to account .*{next(iter(place.values()))}"
    with pytest.raises(GranaryError, match=told):
        _add_tenant()


def test_a_component_whose_stacks_cannot_all_be_asked_about_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more names than an action takes, then the synth says so: a stage that asks about some would be no gate."""

    def build(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        for number in range(60):
            name = tenant.stack_name(f"a{'x' * 12}{number}")
            cdk.Stack(stage, f"S{number}", stack_name=name, synthesizer=tenant.synthesizer())

    monkeypatch.setattr("stacks.saas.component.build", build)
    with pytest.raises(GranaryError, match="the names of the 60 stacks of the component are longer than an action"):
        _add_tenant()
