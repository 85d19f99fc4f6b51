"""The configurations that are synthesized: every source, both ways of naming accounts, all three partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from config.loader import CONFIG_DIR, load
from config.models import Configuration
from config.policy import target_policy
from lambdas.saas.model.defaults import filled
from lambdas.saas.model.record import DeploymentRecord
from local_cloud.factory.zone import RUNS

TOOLCHAIN_ACCOUNT = "111111111111"
WORKLOAD_ACCOUNTS = ("222222222222", "333333333333")
ORGANIZATION = "o-a1b2c3d4e5"
CONNECTION = f"arn:aws:codeconnections:us-east-1:{TOOLCHAIN_ACCOUNT}:connection/0f1e2d3c-0000-4000-8000-000000000000"

_S3 = {"provider": "s3", "object_key": "source.zip"}
_CODECOMMIT = {"provider": "codecommit", "repository": "granary", "branch": "main"}
# Invented, as their forms are.
CHAT = (
    {"provider": "slack", "name": "operators", "workspace_id": "T0123456789", "channel_id": "C0123456789"},
    {
        "provider": "teams",
        "name": "operators-teams",
        "team_id": "00000000-0000-4000-8000-000000000001",
        "tenant_id": "00000000-0000-4000-8000-000000000002",
        "channel_id": "19%3a0123456789abcdef%40thread.tacv2",
    },
)
_CONNECTION = {"provider": "connection", "repository": "owner/granary", "branch": "main", "connection_arn": CONNECTION}

# What the zone's component reads of rows and of the place, and rows' defaults, are the zone's as well.
_OWN = yaml.safe_load((CONFIG_DIR / "workloads.yaml").read_text(encoding="utf-8"))
_DECLARED: dict[str, Any] = {key: _OWN.get(key) or {} for key in ("parameters", "tiers", "place")}

# What a landing zone gives and demands.
PATHS = (f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*", f"{ORGANIZATION}/r-ab12/ou-ab12-22222222/ou-ab12-33333333/")
BOUNDARY = "landing/boundary"
BUILDS: dict[str, Any] = {
    "vpc": "vpc-0a1b2c3d4e5f60718",
    "subnets": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"],
    "security_groups": ["sg-0a1b2c3d"],
    "python_index": {"secret": "landing/python-index"},
    "npm_registry": {"url": "https://npm.example.com/all/", "secret": "landing/npm"},
}
OFFERED = {"vpc": "/landing/vpc", "subnets": "/landing/subnets", "zone": "/landing/zone"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A partition as a factory uses it: its home Region first, then the others."""

    partition: str
    regions: tuple[str, ...]

    @property
    def home(self) -> str:
        return self.regions[0]


AWS = Place(partition="aws", regions=("us-east-1", "eu-west-1"))
AWS_FROM_EUROPE = Place(partition="aws", regions=("eu-west-1",))
GOV = Place(partition="aws-us-gov", regions=("us-gov-west-1",))
CHINA = Place(partition="aws-cn", regions=("cn-north-1",))


def configuration(
    place: Place,
    *,
    source: dict[str, str] | None = None,
    organization: bool = False,
    accounts: Sequence[str] = WORKLOAD_ACCOUNTS,
    component: Mapping[str, Any] = RUNS,
    chat: Sequence[Mapping[str, str]] = (),
    releases: Mapping[str, Any] | None = None,
    prefix: str = "granary",
    landing_zone: bool = False,
) -> Configuration:
    """A configuration with everything that has no default; with an organization, it names no accounts."""
    members: dict[str, Any] = {"organization_paths": list(PATHS)} if landing_zone else {"organization_id": ORGANIZATION}
    targets: dict[str, Any] = members if organization else {"accounts": list(accounts)}
    if landing_zone:
        targets |= {"permissions_boundary": f"{BOUNDARY}-workloads", "place": _DECLARED["place"] | OFFERED}
    return Configuration.model_validate(
        {
            "toolchain": {
                "prefix": prefix,
                "account": TOOLCHAIN_ACCOUNT,
                "region": place.home,
                "source": source or _S3,
                "notifications": {"emails": ["operators@example.com"], "chat": list(map(dict, chat))},
                "releases": dict(releases or {}),
                **({"builds": BUILDS, "permissions_boundary": BOUNDARY} if landing_zone else {}),
                "ci": {"test_command": ["python", "-m", "pytest"]},
            },
            "workloads": {
                **_DECLARED,
                **targets,
                "regions": list(place.regions),
                "component": dict(component),
            },
        }
    )


def example() -> Configuration:
    """The example that has everything on, with the parameters that the zone declares besides."""
    made = load(CONFIG_DIR / "examples" / "all")
    declared = configuration(AWS).workloads.parameters | made.workloads.parameters
    return made.model_copy(update={"workloads": made.workloads.model_copy(update={"parameters": declared})})


def deployed(record: DeploymentRecord) -> DeploymentRecord:
    """A record with what the zone declares and the row does not say, as the component is told of it."""
    return filled(record, target_policy(configuration(AWS)))


def codecommit() -> dict[str, str]:
    """A CodeCommit source."""
    return dict(_CODECOMMIT)


def connection() -> dict[str, str]:
    """A source behind a connection."""
    return dict(_CONNECTION)
