"""The policy that rows are validated by, as the configuration gives it."""

from __future__ import annotations

from pathlib import Path

from config.loader import load
from config.policy import target_policy
from lambdas.saas.model.row_rules import account_reasons
from tests.unit.config.files import TOOLCHAIN, WORKLOADS, changed, write


def test_listed_accounts_and_regions_are_the_policy(tmp_path: Path) -> None:
    policy = target_policy(load(write(tmp_path)))
    assert policy.partition == "aws"
    assert policy.regions == {"us-east-1", "eu-west-1"}
    assert policy.accounts == frozenset({"222222222222"})


def test_an_organization_admits_any_account(tmp_path: Path) -> None:
    workloads = {**changed(WORKLOADS, "accounts", []), "organization_id": "o-0123456789"}
    policy = target_policy(load(write(tmp_path, workloads=workloads)))
    assert policy.accounts is None
    assert account_reasons("333333333333", policy) == []
    (reason,) = account_reasons(policy.home, policy)
    assert reason.startswith("account 111111111111 is the toolchain's own")


def test_the_toolchains_own_account_may_be_listed(tmp_path: Path) -> None:
    workloads = changed(WORKLOADS, "accounts", ["111111111111"])
    assert account_reasons("111111111111", target_policy(load(write(tmp_path, workloads=workloads)))) == []


def test_the_partition_is_that_of_the_toolchain(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        toolchain=changed(TOOLCHAIN, "region", "cn-north-1"),
        workloads=changed(WORKLOADS, "regions", ["cn-northwest-1"]),
    )
    assert target_policy(load(directory)).partition == "aws-cn"
