"""The policy that rows are validated by, as the configuration gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import ConfigurationError, load
from config.policy import target_policy
from lambdas.saas.model.row_rules import account_reasons
from stacks.foundation import Foundation
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


def test_what_is_leaving_keeps_its_rights_and_takes_no_rows(tmp_path: Path) -> None:
    """Given an account and a Region that tenants are to leave, then rows may not name them, and roles reach them."""
    leaving = {"accounts": ["333333333333"], "regions": ["eu-central-1"]}
    configuration = load(write(tmp_path, workloads={**WORKLOADS, "leaving": leaving}))
    policy, targets = target_policy(configuration), Foundation.of(configuration).targets
    assert policy.accounts == frozenset({"222222222222"})
    assert "eu-central-1" not in policy.regions
    assert targets.accounts == ("222222222222", "333333333333")
    assert targets.regions == ("us-east-1", "eu-west-1", "eu-central-1")


@pytest.mark.parametrize(
    ("workloads", "why"),
    [
        (
            {"leaving": {"accounts": ["222222222222"]}},
            "leaving.accounts: 222222222222 may be named by rows, too: leave it in one place",
        ),
        (
            {"leaving": {"regions": ["eu-west-1"]}},
            "leaving.regions: eu-west-1 may be named by rows, too: leave it in one place",
        ),
        ({"leaving": {"regions": ["eu-north-1"] * 2}}, "leaving.regions: names eu-north-1 more than once"),
        ({"leaving": {"regions": ["cn-north-1"]}}, "not in the toolchain's partition"),
        ({"leaving": {"accounts": [f"{number:012}" for number in range(50)]}}, "51 accounts"),
        (
            {"accounts": [], "organization_id": "o-0123456789", "leaving": {"accounts": ["333333333333"]}},
            "leave it out",
        ),
    ],
)
def test_what_is_leaving_is_checked(tmp_path: Path, workloads: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        load(write(tmp_path, workloads={**WORKLOADS, **workloads}))
