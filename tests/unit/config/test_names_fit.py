"""No configuration that is accepted leads to a name over its limit, whatever the deployment."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from config.models import Configuration
from config.models.saas import Workloads
from config.models.toolchain import Toolchain
from lambdas.common.names import BUCKET_NAME_LIMIT
from lambdas.saas.model import names
from lambdas.saas.model.record import DeploymentRecord
from tests.name_limits import PIPELINE_NAME_LIMIT, PROJECT_NAME_LIMIT, ROLE_NAME_LIMIT, STACK_NAME_LIMIT
from tests.unit.config.files import TOOLCHAIN, WORKLOADS
from tests.unit.lambdas.saas.strategies import records

FUNCTION_NAME_LIMIT = 64  # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
LONGEST_JOB = "lifecycle-publish"

prefixes = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
regions = st.from_regex(r"[a-z]{2,4}(-[a-z]{1,20}){1,2}-[0-9]{1,2}", fullmatch=True)


def accepted(prefix: str, home: str, abroad: str) -> Configuration | None:
    """The configuration, if it is a good one."""
    with suppress(ValidationError):
        return Configuration(
            toolchain=Toolchain.model_validate({**TOOLCHAIN, "prefix": prefix, "region": home}),
            workloads=Workloads.model_validate({**WORKLOADS, "regions": list(dict.fromkeys((home, abroad)))}),
        )
    return None


def derived(configuration: Configuration, record: DeploymentRecord) -> dict[str, int]:
    """Every name with the limit that it must keep."""
    toolchain = configuration.toolchain
    own = names.SaasNames(prefix=toolchain.prefix)
    limits = dict.fromkeys(
        (
            own.tenant_pipeline_role,
            own.tenant_synth_role,
            own.self_mutation_role,
            own.asset_publishing_role,
            own.tenant_deploy_role,
            own.tenant_execution_role,
        ),
        ROLE_NAME_LIMIT,
    )
    limits[own.function(LONGEST_JOB)] = FUNCTION_NAME_LIMIT
    limits[own.cicd_pipeline] = PIPELINE_NAME_LIMIT
    limits[names.pipeline_name(record.type, record.id)] = PIPELINE_NAME_LIMIT
    for job in ("synth", "self-mutate", "assets"):
        limits[own.tenant_project(record.type, record.id, job)] = PROJECT_NAME_LIMIT
    for region in (toolchain.region, *configuration.workloads.regions):
        limits[own.artifacts_stack(region)] = STACK_NAME_LIMIT
        for bucket in (own.artifacts_bucket, own.access_logs_bucket, own.source_bucket, own.releases_bucket):
            limits[bucket(toolchain.account, region)] = BUCKET_NAME_LIMIT
    return limits


@settings(deadline=None)
@given(prefixes, regions, regions, records)
@example("g" * 16, "us-east-1", "ap-southeast-1", DeploymentRecord(id="a" * 40, type="silo", account="", region=""))
def test_every_derived_name_keeps_its_limit(prefix: str, home: str, abroad: str, record: DeploymentRecord) -> None:
    if configuration := accepted(prefix, home, abroad):
        over = {name: limit for name, limit in derived(configuration, record).items() if len(name) > limit}
        assert not over


@settings(deadline=None)
@given(
    prefixes.filter(lambda prefix: len(prefix) <= 16),
    st.sampled_from(["us-east-1", "ap-southeast-1"]),
)
def test_every_prefix_of_16_characters_fits_a_real_region(prefix: str, region: str) -> None:
    assert accepted(prefix, region, "eu-central-1")
