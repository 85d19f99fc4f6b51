"""Which deployments of a batch the quotas have room for, and what is said of the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildspecs.saas.provision.quota_preflight import Preflight
from buildspecs.saas.provision.quotas import (
    BUILDS,
    FACTORY_BUILDS,
    FARGATE,
    PIPELINES,
    PROJECTS,
    ROLES,
    STACKS,
    Demand,
    Pool,
    QuotaCheck,
    Room,
    Unreadable,
    refusals,
)
from config.models.saas import Provisioning
from constructs_lib.saas.component_spec import Needs
from lambdas.saas.model.record import DeploymentRecord, Size
from tests.unit.lambdas.saas.strategies import records

HOME = {"account": "111111111111", "region": "us-east-1"}
ROLES_OF_ONE = 2
QUARTERS = {Size.SMALL: 1, Size.MEDIUM: 2, Size.LARGE: 4}
DEMAND = Demand(account=HOME["account"], region=HOME["region"], needs=lambda _: Needs(roles=ROLES_OF_ONE))
WITH_TASKS = replace(DEMAND, needs=lambda size: Needs(roles=ROLES_OF_ONE, fargate_quarters=QUARTERS[size]))
PLENTY = Room(allowed=1_000_000)
batches = st.lists(records, max_size=8, unique_by=lambda record: record.id)


def rows(count: int, *, account: str = "222222222222", region: str = "eu-west-1") -> list[DeploymentRecord]:
    return [DeploymentRecord(id=f"t{number}", type="silo", account=account, region=region) for number in range(count)]


def rooms_of(
    batch: Sequence[DeploymentRecord], special: Mapping[Pool, Room | Unreadable]
) -> dict[Pool, Room | Unreadable]:
    pools = {pool for record in batch for pool in DEMAND.of(record)}
    return {pool: special.get(pool, PLENTY) for pool in pools}


def refused(
    batch: Sequence[DeploymentRecord],
    special: Mapping[Pool, Room | Unreadable],
    taken: Mapping[Pool, int] | None = None,
) -> dict[str, str]:
    return refusals(batch, demand=DEMAND, rooms=rooms_of(batch, special), taken=taken or {})


def test_a_deployment_takes_no_role_of_the_toolchain() -> None:
    needs = {(pool.quota, pool.account, pool.region): count for pool, count in DEMAND.of(rows(1)[0]).items()}
    assert needs == {
        (PIPELINES, *HOME.values()): 1,
        (PROJECTS, *HOME.values()): 2,
        (BUILDS, *HOME.values()): 2,
        (FACTORY_BUILDS, *HOME.values()): 2,
        (STACKS, *HOME.values()): 1,
        (STACKS, "222222222222", "eu-west-1"): 1,
        (ROLES, "222222222222", ""): 2,
    }


def test_tasks_are_counted_twice_for_a_release_has_the_new_ones_beside_the_old() -> None:
    """Given the default of 6 vCPUs, then twelve small tenants fit into an account and Region, and no large one."""
    tasks, demand = Pool(quota=FARGATE, account="222222222222", region="eu-west-1"), WITH_TASKS
    batch = [*rows(12), replace(rows(1)[0], id="large", size="large"), *rows(1, region="us-east-1")]
    rooms = {pool: PLENTY for record in batch for pool in demand.of(record)} | {tasks: Room(allowed=24)}
    reasons = refusals(batch, demand=demand, rooms=rooms, taken={})
    assert set(reasons) == {"large"}
    assert "quarter Fargate vCPUs are needed in account 222222222222, eu-west-1, and 24 are left" in reasons["large"]


def test_every_stack_of_a_component_is_counted_where_it_goes() -> None:
    (record,) = rows(1)
    there = Pool(quota=STACKS, account=record.account, region=record.region)
    assert replace(DEMAND, needs=lambda _: Needs(stacks=3)).of(record)[there] == 3


def test_a_move_takes_its_component_only() -> None:
    (mover,) = rows(1)
    needs = {(pool.quota, pool.account, pool.region): count for pool, count in DEMAND.of(mover, moving=True).items()}
    assert needs == {(STACKS, "222222222222", "eu-west-1"): 1, (ROLES, "222222222222", ""): 2}
    assert DEMAND.total(rows(3), moving={"t1", "t2"})[Pool(quota=PIPELINES, **HOME)] == 1


def test_stacks_in_the_toolchains_own_place_add_up_and_roles_are_the_accounts() -> None:
    (own,) = rows(1, **HOME)
    assert DEMAND.of(own)[Pool(quota=STACKS, **HOME)] == 2
    apart = [*rows(1), DeploymentRecord(id="x", type="pool", account="222222222222", region="eu-central-1")]
    assert DEMAND.total(apart)[Pool(quota=ROLES, account="222222222222", region="")] == 4


def test_the_reason_has_the_number_that_is_missing() -> None:
    pool = Pool(quota=PIPELINES, **HOME)
    reasons = refused(rows(3), {pool: Room(allowed=1000, used=998)})
    assert reasons == {
        "t2": "quota: 3 more pipelines are needed in account 111111111111, us-east-1, and 2 are left (1,000 allowed, "
        "998 in use): 1 is missing; ask for a higher quota (Service Quotas, codepipeline, code L-78D200AD) or retire "
        "tenants"
    }


def test_every_pool_without_room_is_named() -> None:
    special: dict[Pool, Room | Unreadable] = {
        Pool(quota=STACKS, account="222222222222", region="eu-west-1"): Room(allowed=2000, used=2001),
        Pool(quota=ROLES, account="222222222222", region=""): Room(allowed=1000, used=999),
    }
    (reason,) = refused(rows(1), special).values()
    assert "1 more CloudFormation stack is needed in account 222222222222, eu-west-1, and 0 are left" in reason
    assert "2 more IAM roles are needed in account 222222222222, and 1 is left" in reason


def test_one_build_at_a_time_is_too_few_for_anybody() -> None:
    reasons = refused(rows(2), {Pool(quota=BUILDS, **HOME): Room(allowed=1)})
    assert set(reasons) == {"t0", "t1"}
    assert reasons["t0"] == (
        "quota: 2 concurrent ARM/Small builds are needed in account 111111111111, us-east-1, and 1 is allowed: 1 is "
        "missing; ask for a higher quota (Service Quotas, codebuild, code L-5ED1D25B)"
    )
    assert refused(rows(9), {Pool(quota=BUILDS, **HOME): Room(allowed=2)}) == {}


def test_who_has_no_room_does_not_stand_in_the_way_of_others() -> None:
    full = Pool(quota=STACKS, account="222222222222", region="eu-west-1")
    elsewhere = DeploymentRecord(id="x", type="pool", account="333333333333", region="eu-west-1")
    assert set(refused([*rows(2), elsewhere], {full: Room(allowed=1)})) == {"t1"}


def test_a_pool_that_cannot_be_read_stops_those_who_need_it() -> None:
    pool = Pool(quota=ROLES, account="222222222222", region="")
    elsewhere = DeploymentRecord(id="x", type="pool", account="333333333333", region="eu-west-1")
    reasons = refused([*rows(1), elsewhere], {pool: Unreadable(why="AccessDenied: no")})
    assert reasons == {
        "t0": "quota: the IAM roles allowed and in use in account 222222222222 could not be read: AccessDenied: no; "
        "let them be read, or set `provisioning.quota_check` in config/toolchain.yaml to `warn`"
    }


@given(batches, st.data())
def test_what_is_admitted_fits_and_what_is_refused_does_not(batch: list[DeploymentRecord], data: st.DataObject) -> None:
    pools = sorted({pool for record in batch for pool in DEMAND.of(record)}, key=str)
    sizes = {pool: data.draw(st.integers(0, 8)) for pool in pools if not pool.quota.at_least}
    reasons = refused(batch, {pool: Room(allowed=size + 3, used=3) for pool, size in sizes.items()})
    used: Counter[Pool] = Counter()
    for record in batch:
        needs = {pool: count for pool, count in DEMAND.of(record).items() if not pool.quota.at_least}
        fits = all(used[pool] + count <= sizes[pool] for pool, count in needs.items())
        assert (record.id not in reasons) is fits
        if fits:
            used.update(needs)
    missing = [
        int(number) for reason in reasons.values() for number in re.findall(r"(-?\d+) (?:is|are) missing", reason)
    ]
    assert all(number > 0 for number in missing)


@given(batches, st.integers(0, 6), st.integers(0, 6))
def test_what_was_admitted_before_counts(batch: list[DeploymentRecord], left: int, before: int) -> None:
    pool = Pool(quota=PIPELINES, **HOME)
    reasons = refused(batch, {pool: Room(allowed=left)}, taken={pool: before})
    assert len(batch) - len(reasons) == min(len(batch), max(0, left - before))


@given(batches)
def test_a_demand_is_the_sum_of_its_parts_and_builds_are_not_used_up(batch: list[DeploymentRecord]) -> None:
    total = DEMAND.total(batch)
    assert total[Pool(quota=PIPELINES, **HOME)] == len(batch)
    assert not any(pool.quota.at_least for pool in total)


@dataclass
class FakeUsage:
    """Rooms by pool; plenty of what is not named."""

    rooms: dict[Pool, Room | Unreadable] = field(default_factory=dict)
    read: list[Pool] = field(default_factory=list)

    def room(self, pool: Pool) -> Room | Unreadable:
        self.read.append(pool)
        return self.rooms.get(pool, PLENTY)


def preflight(usage: FakeUsage, check: str = "enforce") -> tuple[Preflight, list[str]]:
    told: list[str] = []
    return Preflight(usage=usage, demand=DEMAND, check=QuotaCheck(check), say=told.append), told


def test_what_it_admitted_counts_when_a_build_goes_round_again() -> None:
    ours, _ = preflight(FakeUsage({Pool(quota=PIPELINES, **HOME): Room(allowed=2)}))
    first, second, third = rows(3)
    assert ours.refusals([first]) == {}
    assert ours.refusals([first, second]) == {}, "the same deployment is not counted twice"
    assert set(ours.refusals([third])) == {"t2"}


def test_moves_are_refused_where_the_target_is_full_and_need_no_pipeline() -> None:
    stacks = Pool(quota=STACKS, account="222222222222", region="eu-west-1")
    usage = FakeUsage({stacks: Room(allowed=3), Pool(quota=PIPELINES, **HOME): Room(allowed=0)})
    ours, _ = preflight(usage)
    first, second, third, fourth = rows(4)
    assert ours.refusals([first, second], ["t0", "t1"]) == {}
    assert ours.refusals([second, third, fourth], ["t1", "t2", "t3"]).keys() == {"t3"}
    assert set(ours.refusals([DeploymentRecord(id="x", type="pool", account="3" * 12, region="eu-west-1")])) == {"x"}


def test_a_refused_deployment_takes_no_room() -> None:
    stacks = Pool(quota=STACKS, account="222222222222", region="eu-west-1")
    usage = FakeUsage({stacks: Room(allowed=0), Pool(quota=PIPELINES, **HOME): Room(allowed=1)})
    ours, _ = preflight(usage)
    assert set(ours.refusals(rows(1))) == {"t0"}
    other = DeploymentRecord(id="x", type="pool", account="333333333333", region="eu-west-1")
    assert ours.refusals([other]) == {}


@pytest.mark.parametrize("room", [Room(allowed=0), Unreadable(why="AccessDenied")])
def test_warn_says_what_enforce_would_refuse(room: Room | Unreadable) -> None:
    usage = FakeUsage({Pool(quota=PIPELINES, **HOME): room})
    enforced = preflight(usage)[0].refusals(rows(1))
    ours, told = preflight(usage, "warn")
    assert ours.refusals(rows(1)) == {}
    assert told == [f"t0: provisioned all the same: {enforced['t0']}"]


@pytest.mark.parametrize(("check", "batch"), [("off", rows(2)), ("enforce", [])])
def test_nothing_is_read_without_need(check: str, batch: list[DeploymentRecord]) -> None:
    usage = FakeUsage({Pool(quota=PIPELINES, **HOME): Room(allowed=0)})
    assert preflight(usage, check)[0].refusals(batch) == {}
    assert usage.read == []


def test_the_configuration_knows_the_same_words() -> None:
    assert QuotaCheck(Provisioning().quota_check) is QuotaCheck.ENFORCE
    assert {check.value for check in QuotaCheck} == set(get_args(Provisioning.model_fields["quota_check"].annotation))


def test_a_standby_needs_as_much_in_its_region_and_roles_of_the_whole_account() -> None:
    (record,) = rows(1)
    demand = WITH_TASKS
    plain, both = demand.of(record), demand.of(replace(record, standby_region="eu-north-1"))
    there = demand.of(replace(record, region="eu-north-1"), moving=True)
    assert both == plain + there
    (roles,) = (count for pool, count in both.items() if pool.quota == ROLES)
    assert roles == 2 * ROLES_OF_ONE
