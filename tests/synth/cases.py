"""What is synthesized: the factory, roles of workload accounts and tenants' pipelines, in several configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import yaml

from config.loader import CONFIG_DIR, load
from config.models import Configuration
from config.models.failover import Section as FailoverSection
from config.models.lake import Section
from lambdas.lake.model.names import LakeNames
from lambdas.saas.model.record import DeploymentRecord
from local_cloud.factory.zone import NOTHING_RUNS, RUNS
from stacks.foundation import Foundation
from stacks.lake.governance import GovernanceStack
from stacks.lake.keys import LakeKeysStack
from stacks.lake.pipelines import add_part
from stacks.lake.plan import Part
from stacks.landing_zone import bound_roles, settle_builds
from stacks.resilience.failover import build_failover
from stacks.resilience.stack import ResilienceStack
from stacks.saas.factory import build_factory
from stacks.saas.plan import TenantsPlan
from stacks.saas.tenants import build_tenants
from stacks.workload_roles import CATALOGUE, WorkloadRolesStack
from tests.synth.asset_tenants import build_asset_tenants
from tests.synth.configurations import (
    AWS,
    AWS_FROM_EUROPE,
    CHAT,
    CHINA,
    CONNECTION,
    GOV,
    TOOLCHAIN_ACCOUNT,
    WORKLOAD_ACCOUNTS,
    Place,
    codecommit,
    configuration,
    connection,
)

_EXAMPLE = CONFIG_DIR / "examples" / "all"
Build = Callable[[cdk.App, Path], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One app; `accounts` are those that may be deployed to, none when an organization decides.

    `given` are ARNs that the configuration or the plan gives, which templates may hold literally.
    """

    name: str
    place: Place
    build: Build
    organization: bool = False
    accounts: tuple[str, ...] = WORKLOAD_ACCOUNTS
    given: tuple[str, ...] = ()
    landing_zone: bool = False

    @property
    def is_factory(self) -> bool:
        return self.name.startswith("factory")


def key_arn(place: Place, region: str) -> str:
    """The artifact key of a Region, as provisioning would find it."""
    return f"arn:{place.partition}:kms:{region}:{TOOLCHAIN_ACCOUNT}:key/00000000-0000-4000-8000-000000000000"


def artifact_keys(place: Place) -> dict[str, str]:
    """The artifact keys of all Regions of a place."""
    return {region: key_arn(place, region) for region in place.regions}


def _as_the_app_does(settings: Configuration, build: Callable[[cdk.App, Path], object]) -> Build:
    """What `app.py` does before and after the stacks are made."""

    def built(app: cdk.App, scratch: Path) -> None:
        bound_roles(app, settings)
        build(app, scratch)
        settle_builds(app, settings)

    return built


def _factory(
    name: str,
    place: Place,
    *,
    source: dict[str, str] | None = None,
    organization: bool = False,
    accounts: tuple[str, ...] = WORKLOAD_ACCOUNTS,
    chat: Sequence[Mapping[str, str]] = (),
    landing_zone: bool = False,
) -> Case:
    settings = configuration(
        place, source=source, organization=organization, accounts=accounts, chat=chat, landing_zone=landing_zone
    )
    return Case(
        name=f"factory-{name}",
        place=place,
        organization=organization,
        accounts=() if organization else accounts,
        build=_as_the_app_does(settings, lambda app, _: build_factory(app, configuration=settings)),
        landing_zone=landing_zone,
        given=(CONNECTION,) if source == connection() else (),
    )


def _roles(name: str, place: Place, *, organization: bool = False, landing_zone: bool = False) -> Case:
    """The roles of all rooms in a workload account, or in those of an organization."""
    foundation = Foundation.of(configuration(place, organization=organization, landing_zone=landing_zone))
    env = None if organization else cdk.Environment(account=WORKLOAD_ACCOUNTS[0], region=place.home)
    return Case(
        name=f"roles-{name}",
        place=place,
        organization=organization,
        build=lambda app, _: WorkloadRolesStack(
            app, env=env or cdk.Environment(), foundation=foundation, rooms=CATALOGUE
        ),
        landing_zone=landing_zone,
    )


def _tenants(name: str, place: Place, *, component: Mapping[str, Any] = RUNS, landing_zone: bool = False) -> Case:
    settings = configuration(place, component=component, landing_zone=landing_zone)
    plan = TenantsPlan(
        artifact_keys=artifact_keys(place),
        deployments=(
            DeploymentRecord(id="acme", type="silo", account=WORKLOAD_ACCOUNTS[0], region=place.regions[0]),
            DeploymentRecord(id="shared-1", type="pool", account=WORKLOAD_ACCOUNTS[1], region=place.regions[-1]),
        ),
    )

    def build(app: cdk.App, scratch: Path) -> None:
        plan.write(scratch / "plan.json")
        build_tenants(app, configuration=settings, plan_file=str(scratch / "plan.json"))

    return Case(
        name=f"tenants-{name}",
        place=place,
        build=_as_the_app_does(settings, build),
        given=tuple(plan.artifact_keys.values()),
        landing_zone=landing_zone,
    )


def _governance() -> Case:
    """The stack that governs the lakes of the example that has everything on."""
    settings = load(_EXAMPLE)
    section: Section = settings.rooms["lake"]  # type: ignore[assignment]
    permissions = section.permissions
    assert permissions
    return Case(
        name="lake-governance",
        place=AWS,
        build=lambda app, _: GovernanceStack(
            app, foundation=Foundation.of(settings), section=section, permissions=permissions
        ),
    )


def _lake() -> Case:
    """What an environment of the lake has in its own account: keys, infrastructure and ETL of the same example."""
    settings = load(_EXAMPLE)
    section: Section = settings.rooms["lake"]  # type: ignore[assignment]
    one = section.environments[0]
    env = cdk.Environment(account=one.account, region=one.region)

    def build(app: cdk.App, _: Path) -> None:
        names = LakeNames(prefix=settings.toolchain.prefix, environment=one.name)
        LakeKeysStack(app, names=names, env=env, qualifier=settings.workloads.bootstrap_qualifier)
        for part in Part:
            add_part(app, configuration=settings, section=section, environment=one, part=part)

    return Case(name="lake", place=AWS, build=build)


def _resilience() -> Case:
    """The stack that experiments, of the same example."""
    settings = load(_EXAMPLE)
    section: Any = settings.rooms["resilience"]
    return Case(
        name="resilience",
        place=AWS,
        build=lambda app, _: ResilienceStack(app, foundation=Foundation.of(settings), section=section),
    )


def _failover(name: str, place: Place, *, mode: str = "switch") -> Case:
    """Both halves of the failover control plane, with the example's groups and applications in a place's Regions."""
    text = (_EXAMPLE / "failover.yaml").read_text(encoding="utf-8")
    for its, region in zip(AWS.regions, place.regions, strict=True):
        text = text.replace(its, region)
    text = text.replace("mode: switch", f"mode: {mode}").replace("arn:aws:", f"arn:{place.partition}:")
    section = FailoverSection.model_validate(yaml.safe_load(text))
    foundation = Foundation.of(configuration(place))
    return Case(name=f"failover-{name}", place=place, build=lambda app, _: build_failover(app, foundation, section))


CASES = {
    case.name: case
    for case in (
        _factory("s3", AWS),
        _factory("codecommit", AWS_FROM_EUROPE, source=codecommit(), organization=True),
        _factory("connection", AWS, source=connection()),
        _factory("home", AWS, accounts=(*WORKLOAD_ACCOUNTS, TOOLCHAIN_ACCOUNT), chat=CHAT),
        _factory("gov", GOV, source=codecommit()),
        _factory("china", CHINA, organization=True, landing_zone=True),
        _roles("aws", AWS),
        _roles("gov", GOV, organization=True),
        _roles("china", CHINA),
        _roles("landing", AWS, organization=True, landing_zone=True),
        _tenants("runs", AWS),
        _tenants("nothing-runs", AWS, component=NOTHING_RUNS),
        _tenants("gov", GOV),
        _tenants("china", CHINA, landing_zone=True),
        Case(
            name="tenants-asset",
            place=AWS,
            build=lambda app, scratch: build_asset_tenants(app, scratch, artifact_keys=artifact_keys(AWS)),
            given=tuple(artifact_keys(AWS).values()),
        ),
        _governance(),
        _lake(),
        _resilience(),
        _failover("aws", AWS),
        _failover("gov", Place(partition="aws-us-gov", regions=("us-gov-west-1", "us-gov-east-1")), mode="weights"),
        _failover("china", Place(partition="aws-cn", regions=("cn-north-1", "cn-northwest-1"))),
    )
}
FACTORIES = [name for name, case in CASES.items() if case.is_factory]
TENANTS = [name for name in CASES if name.startswith("tenants")]
