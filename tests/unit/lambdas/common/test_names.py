"""SaasNames: within limits, apart from each other, and readable backwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.names import BUCKET_NAME_LIMIT
from lambdas.saas.model.names import (
    TENANT_JOBS,
    SaasNames,
    component_stack_name,
    deployment_of_pipeline,
    pipeline_name,
)
from tests.name_limits import ROLE_NAME_LIMIT
from tests.unit.lambdas.saas.strategies import ids, types

NAMES = SaasNames(prefix="granary")
deployments = st.tuples(types, ids)


def names_of(deployment: tuple[str, str]) -> set[str]:
    projects = {NAMES.tenant_project(*deployment, job) for job in TENANT_JOBS}
    return {pipeline_name(*deployment), component_stack_name(*deployment), *projects}


@pytest.mark.parametrize(
    ("of_organization", "command"),
    [
        (False, "`npx cdk deploy granary-workload-roles-222222222222`"),
        (True, "`npx cdk deploy granary-workload-roles`"),
        (
            None,
            "`npx cdk deploy granary-workload-roles-222222222222` (with an organization_id: `npx cdk deploy granary",
        ),
    ],
)
def test_whoever_lacks_a_role_is_told_the_command_that_makes_it(of_organization: bool | None, command: str) -> None:
    said = NAMES.roles_advice("222222222222", of_organization=of_organization)
    assert said.startswith(
        f"the administrator of account 222222222222 deploys the factory's roles there, again if need be: {command}"
    )


@given(deployments)
def test_a_pipeline_names_its_deployment(deployment: tuple[str, str]) -> None:
    assert deployment_of_pipeline(pipeline_name(*deployment)) == deployment


@given(deployments, deployments)
def test_two_deployments_share_no_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    if one != other:
        assert not names_of(one) & names_of(other)


@given(deployments, st.sampled_from(["-pipeline", "-resources", "-synth", "a", "-a", "-image", "-self"]))
def test_ids_that_continue_each_other_stay_apart(one: tuple[str, str], more: str) -> None:
    assert not names_of(one) & names_of((one[0], one[1] + more))


@given(st.text(max_size=40))
def test_only_what_could_be_a_tenants_pipeline_is_taken_apart(text: str) -> None:
    deployment = deployment_of_pipeline(text)
    assert deployment is None or pipeline_name(*deployment) == text


@pytest.mark.parametrize(
    "name", ["", "granary-cicd", "silo-pipeline", "silo--pipeline", "silo-a", "a-b-pipeline", "silo"]
)
def test_other_pipelines_are_no_tenants(name: str) -> None:
    assert deployment_of_pipeline(name) is None


def test_toolchain_names_keep_their_limits() -> None:
    account, region = "111111111111", "ap-southeast-1"
    roles = [
        NAMES.tenant_pipeline_role,
        NAMES.tenant_synth_role,
        NAMES.self_mutation_role,
        NAMES.asset_publishing_role,
    ]
    buckets = [
        NAMES.artifacts_bucket(account, region),
        NAMES.access_logs_bucket(account, region),
        NAMES.source_bucket(account, region),
        NAMES.releases_bucket(account, region),
    ]
    assert all(len(role) <= ROLE_NAME_LIMIT for role in roles)
    assert all(len(bucket) <= BUCKET_NAME_LIMIT for bucket in buckets)
    assert len({*roles, *buckets}) == len(roles) + len(buckets)


def test_two_prefixes_share_no_name() -> None:
    other = SaasNames(prefix="granary2")
    properties = [name for name, value in vars(SaasNames).items() if isinstance(value, property)]
    assert properties
    for name in properties:
        assert getattr(NAMES, name) != getattr(other, name)
        assert "granary" in getattr(NAMES, name)
    assert NAMES.function("onboard") == "granary-onboard"
    assert NAMES.artifacts_stack("eu-west-1") == "granary-artifacts-eu-west-1"


def test_a_tenant_that_ends_in_the_word_of_a_job_has_projects_of_its_own() -> None:
    assert NAMES.tenant_project("silo", "acme", "image-assets") == "granary-silo-acme-image-assets"
    assert NAMES.tenant_project("silo", "acme-image", "assets") == "granary-silo-acme-image--assets"
    assert NAMES.tenant_project("silo", "image", "assets") == "granary-silo-image-assets"
