"""What every room may use of the house: names, parameters and targets; never constructs of another stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from config.models import Configuration
from constructs_lib.common.source import SourceProps
from constructs_lib.common.targets import WorkloadTargets
from lambdas.common.names import Names

# Rooms whose pipelines deploy into workload accounts: `stacks/common/room_deployment.py` is their roles there.
DEPLOYING_ROOMS = ("lake", "delivery")


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """The factory as rooms see it: its place, its names (`names` has bus, topics, key and queue) and its targets.

    `tenants_arn` is saas's read-only query: `lambdas/saas/tenants/handler.py` says what it takes and answers. `source`
    is where CI/CD reads it, and `checks` what builds of the room's own pipelines may do that have all rooms check them.
    With `findings`, reports that are put below `findings/` of the bucket for reports are imported, by the room gates.
    A release waits for a tenant's pipeline for `pipeline_timeout_minutes`. `workload_boundary` names the policy that
    bounds every role in workload accounts, none when it is empty.
    """

    names: Names
    account: str
    region: str
    targets: WorkloadTargets
    bootstrap_qualifier: str
    source: SourceProps
    pipeline_timeout_minutes: int
    tags: Mapping[str, str] = field(default_factory=dict)
    checks: Sequence[iam.PolicyStatement] = ()
    findings: bool = False
    workload_boundary: str = ""

    @classmethod
    def of(cls, configuration: Configuration) -> Foundation:
        """The foundation of a configured factory."""
        toolchain, workloads = configuration.toolchain, configuration.workloads
        return cls(
            names=Names(prefix=toolchain.prefix),
            account=toolchain.account,
            region=toolchain.region,
            targets=WorkloadTargets(
                accounts=workloads.reached_accounts,
                organization_id=workloads.organization_id,
                organization_paths=workloads.organization_paths,
                regions=workloads.reached_regions,
                qualifier=workloads.bootstrap_qualifier,
                rooms=[room for room in DEPLOYING_ROOMS if room in configuration.rooms],
            ),
            bootstrap_qualifier=toolchain.bootstrap_qualifier,
            source=SourceProps(**toolchain.source.model_dump()),
            pipeline_timeout_minutes=toolchain.releases.pipeline_timeout_minutes,
            tags=toolchain.tags,
            findings="gates" in configuration.rooms,
            workload_boundary=workloads.permissions_boundary or "",
        )

    @property
    def env(self) -> cdk.Environment:
        """The toolchain's account and Region."""
        return cdk.Environment(account=self.account, region=self.region)

    @property
    def store_regions(self) -> tuple[str, ...]:
        """The Regions with an artifact store: those that CI/CD can deploy to."""
        return tuple(dict.fromkeys((self.region, *self.targets.regions)))

    def arn(self, service: str, resource: str) -> str:
        """ARN of something in the toolchain's account and Region."""
        return f"arn:{Aws.PARTITION}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def tenants_arn(self) -> str:
        return self.arn("lambda", f"function:{self.names.tenants_function}")
