"""Whether the quotas of the accounts have room for new deployments, and for those that move; pure.

Others use the same quotas at the same time: what is admitted here can still be refused by AWS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from constructs_lib.saas.component_spec import Needs
from lambdas.saas.model.names import TENANT_BUILDS_QUOTA
from lambdas.saas.model.record import DeploymentRecord, Size


class QuotaCheck(StrEnum):
    """What becomes of a deployment for which there is no room, or whose quotas cannot be read."""

    ENFORCE = "enforce"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota by its codes in Service Quotas, and what it counts.

    With `at_least`, it limits what goes on at a time: a deployment takes nothing of it for good, and needs as many.
    """

    service: str
    code: str
    thing: str
    at_least: int = 0


# Codes: behind "Adjustable" in https://docs.aws.amazon.com/general/latest/gr/codepipeline.html, and codebuild.html,
# cfn.html, iam-service.html and ecs-service.html there. Defaults: 1,000 pipelines, 5,000 projects, 2,000 stacks, 1,000
# roles, 6 vCPUs.
PIPELINES = Quota(service="codepipeline", code="L-78D200AD", thing="pipeline")
PROJECTS = Quota(service="codebuild", code="L-ACCF6C0D", thing="build project")
STACKS = Quota(service="cloudformation", code="L-0485CB21", thing="CloudFormation stack")
ROLES = Quota(service="iam", code="L-FE177D64", thing="IAM role")
# Of tenants' builds. With one at a time, and five times as many in the queue, the builds of a batch would be
# refused: https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html
BUILDS = Quota(service="codebuild", code=TENANT_BUILDS_QUOTA, thing="concurrent ARM/Small build", at_least=2)
# CI/CD's and provisioning's builds are ARM/Medium: a push while rows are provisioned takes two.
FACTORY_BUILDS = Quota(service="codebuild", code="L-DF544FF3", thing="concurrent ARM/Medium build", at_least=2)
# The quota is in vCPUs, and the smallest task has a quarter of one.
FARGATE = Quota(service="fargate", code="L-3032A538", thing="quarter Fargate vCPU")

# What a tenant's pipeline stack holds: synth and self-mutation. Roles are shared by all tenants.
TENANT_PROJECTS = 2
QUARTERS_A_VCPU = 4
# Whatever is released stands twice for a while, the new tasks beside the old ones.
TASKS_WHILE_RELEASING = 2


@dataclass(frozen=True, kw_only=True)
class Pool:
    """One quota in one account and Region; an account's roles have no Region, `via` is one where they can be read."""

    quota: Quota
    account: str
    region: str
    via: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        return f"account {self.account}, {self.region}" if self.region else f"account {self.account}"


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many a pool allows, and how many are in use."""

    allowed: int
    used: int = 0

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.used)


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A pool that could not be read, and why."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a deployment takes in the toolchain's account and Region, and where it goes: `needs`, by its size."""

    account: str
    region: str
    needs: Callable[[Size], Needs]

    def of(self, record: DeploymentRecord, *, moving: bool = False) -> Counter[Pool]:
        """How many a deployment needs of each pool; one that is moving has its pipeline, and needs the rest anew."""
        home = {"account": self.account, "region": self.region}
        pipeline = {
            Pool(quota=PIPELINES, **home): 1,
            Pool(quota=PROJECTS, **home): TENANT_PROJECTS,
            Pool(quota=BUILDS, **home): BUILDS.at_least,
            Pool(quota=FACTORY_BUILDS, **home): FACTORY_BUILDS.at_least,
            Pool(quota=STACKS, **home): 1,
        }
        needs, its = Counter({} if moving else pipeline), self.needs(Size(record.size))
        for account, region in record.places:
            # Added up: it may be the toolchain's own account and Region, and roles are of the whole account.
            needs[Pool(quota=STACKS, account=account, region=region)] += its.stacks
            if its.roles:
                needs[Pool(quota=ROLES, account=account, region="", via=region)] += its.roles
            if its.fargate_quarters:
                quarters = its.fargate_quarters * TASKS_WHILE_RELEASING
                needs[Pool(quota=FARGATE, account=account, region=region)] = quarters
        return needs

    def total(self, records: Sequence[DeploymentRecord], *, moving: Collection[str] = ()) -> Counter[Pool]:
        """How many some deployments need together, of each pool; `moving` are the ids of those that move."""
        total: Counter[Pool] = Counter()
        for record in records:
            needs = self.of(record, moving=record.id in moving)
            total.update({pool: count for pool, count in needs.items() if not pool.quota.at_least})
        return total


def refusals(
    records: Sequence[DeploymentRecord],
    *,
    demand: Demand,
    rooms: Mapping[Pool, Room | Unreadable],
    taken: Mapping[Pool, int],
    moving: Collection[str] = (),
) -> dict[str, str]:
    """Tell why deployments do not fit, by id; those that come first are admitted first.

    `rooms` has every pool that is needed; `taken` is what was admitted after the rooms were read; `moving` are the ids
    of those that move.
    """
    rooms = {pool: _after(room, taken.get(pool, 0)) for pool, room in rooms.items()}
    batch, admitted, refused = demand.total(records, moving=moving), Counter[Pool](), {}
    for record in records:
        needs = demand.of(record, moving=record.id in moving)
        reasons = [
            reason
            for pool, count in needs.items()
            if (reason := _refusal(pool, rooms[pool], count=count, before=admitted[pool], batch=batch[pool]))
        ]
        if reasons:
            refused[record.id] = f"quota: {'; '.join(reasons)}"
        else:
            admitted.update({pool: count for pool, count in needs.items() if not pool.quota.at_least})
    return refused


def _after(room: Room | Unreadable, taken: int) -> Room | Unreadable:
    return Room(allowed=room.allowed, used=room.used + taken) if isinstance(room, Room) else room


def _refusal(pool: Pool, room: Room | Unreadable, *, count: int, before: int, batch: int) -> str | None:
    """Why a pool has no room for one more deployment; None when it has."""
    quota = pool.quota
    remedy = f"ask for a higher quota (Service Quotas, {quota.service}, code {quota.code})"
    if isinstance(room, Unreadable):
        return (
            f"the {quota.thing}s allowed and in use in {pool.place} could not be read: {room.why}; let them be read, "
            "or set `provisioning.quota_check` in config/toolchain.yaml to `warn`"
        )
    if before + count <= room.left:
        return None
    if quota.at_least:
        return (
            f"{_are(quota.at_least, quota.thing)} needed in {pool.place}, and {_number(room.allowed)} allowed: "
            f"{_number(quota.at_least - room.allowed)} missing; {remedy}"
        )
    return (
        f"{_are(batch, f'more {quota.thing}')} needed in {pool.place}, and {_number(room.left)} left "
        f"({room.allowed:,} allowed, {room.used:,} in use): {_number(batch - room.left)} missing; "
        f"{remedy} or retire tenants"
    )


def _are(count: int, thing: str) -> str:
    return f"{count:,} {thing} is" if count == 1 else f"{count:,} {thing}s are"


def _number(count: int) -> str:
    return f"{count:,} is" if count == 1 else f"{count:,} are"
