"""The configurations that are synthesized: every source, both ways of naming accounts, all three partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.models import Configuration
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
) -> Configuration:
    """A configuration with everything that has no default; with an organization, it names no accounts."""
    targets: dict[str, Any] = {"organization_id": ORGANIZATION} if organization else {"accounts": list(accounts)}
    return Configuration.model_validate(
        {
            "toolchain": {
                "prefix": prefix,
                "account": TOOLCHAIN_ACCOUNT,
                "region": place.home,
                "source": source or _S3,
                "notifications": {"emails": ["operators@example.com"], "chat": list(map(dict, chat))},
                "releases": dict(releases or {}),
                "ci": {"test_command": ["python", "-m", "pytest"]},
            },
            "workloads": {
                **targets,
                "regions": list(place.regions),
                "component": dict(component),
            },
        }
    )


def codecommit() -> dict[str, str]:
    """A CodeCommit source."""
    return dict(_CODECOMMIT)


def connection() -> dict[str, str]:
    """A source behind a connection."""
    return dict(_CONNECTION)
