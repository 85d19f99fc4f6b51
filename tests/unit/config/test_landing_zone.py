"""What a landing zone gives and demands: networks and indexes of builds, boundaries, many accounts, published ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import load
from config.models import Configuration
from config.policy import target_policy
from lambdas.saas.model.row_rules import account_reasons
from stacks.foundation import Foundation
from tests.unit.config.files import ABSENT, TOOLCHAIN, WORKLOADS, changed, errors_of, write

NETWORK = {"vpc": "vpc-0a1b2c3d", "subnets": ["subnet-0a1b2c3d"], "security_groups": ["sg-0a1b2c3d"]}
PATH = "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"
MANY = [f"{number:012}" for number in range(500_000_000_000, 500_000_002_000)]


def builds(directory: Path, **given: Any) -> Configuration:
    return load(write(directory, toolchain={**TOOLCHAIN, "builds": given}))


def test_pip_and_npm_find_their_addresses_in_the_environment(tmp_path: Path) -> None:
    npm = {"url": "https://npm.example.com/all/", "secret": "npm"}
    found = builds(tmp_path, python_index={"url": "https://pip.example.com/simple"}, npm_registry=npm).toolchain.builds
    assert found.variables() == {
        "PIP_INDEX_URL": "https://pip.example.com/simple",
        "npm_config_registry": "https://npm.example.com/all/",
    }
    assert found.secrets() == {"npm_config_//npm.example.com/all/:_authToken": "npm"}


def test_an_index_with_a_password_is_all_of_it_secret(tmp_path: Path) -> None:
    found = builds(tmp_path, python_index={"secret": "index"}).toolchain.builds
    assert (found.variables(), found.secrets()) == ({}, {"PIP_INDEX_URL": "index"})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("builds", {**NETWORK, "subnets": []}, "builds: give vpc, subnets and security_groups, or none of them"),
        ("builds", {**NETWORK, "vpc": "vpc-1"}, "builds.vpc: must match pattern"),
        ("builds", {**NETWORK, "subnets": ["subnet-0a1b2c3d"] * 2}, "subnets: names subnet-0a1b2c3d more than once"),
        ("builds.python_index", {}, "builds.python_index: give either url, or secret"),
        ("builds.python_index", {"url": "https://a/simple", "secret": "x"}, "give either url, or secret"),
        ("builds.python_index", {"url": "https://me:word@a/simple"}, "put that into a secret, and name it"),
        ("builds.npm_registry", {"url": "http://a/"}, "builds.npm_registry.url: must match pattern"),
        ("builds.npm_registry", {"url": f"https://{'a' * 293}"}, "builds.npm_registry.url: must have at most 300"),
        ("builds.npm_registry", {"secret": "x"}, "builds.npm_registry.url: is missing"),
        ("builds.npm_registry", {"url": "https://a/", "secret": "a secret"}, "secret: must match pattern"),
        ("permissions_boundary", "arn:aws:iam::111111111111:policy/x", "permissions_boundary: must match pattern"),
    ],
)
def test_errors_of_the_toolchain_file(tmp_path: Path, key: str, value: Any, said: str) -> None:
    (line,) = errors_of(write(tmp_path, toolchain=changed(TOOLCHAIN, key, value)))
    assert line.startswith("toolchain.yaml: ")
    assert said in line


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("place", {"vpc": "landing/vpc"}, "place.vpc: must match pattern"),
        ("place", {"network": "/landing/vpc"}, "place.network: unknown key"),
        ("permissions_boundary", "/x", "permissions_boundary: must match pattern"),
        ("organization_paths", [PATH], "give either accounts or organization_id"),
        ("organization_paths", ["o-a1b2c3d4e5"], "organization_paths.0: must match pattern"),
        ("organization_paths", [f"{PATH}/"], "organization_paths.0: must match pattern"),
        ("organization_paths", [PATH] * 2, f"organization_paths: names {PATH} more than once"),
    ],
)
def test_errors_of_the_workloads_file(tmp_path: Path, key: str, value: Any, said: str) -> None:
    (line,) = errors_of(write(tmp_path, workloads=changed(WORKLOADS, key, value)))
    assert line.startswith("workloads.yaml: ")
    assert said in line


def listed(directory: Path, names: list[str], **more: Any) -> Path:
    """A configuration whose accounts stand in a file."""
    (directory / "accounts.txt").write_text("# ours\n\n" + "".join(f"{one}  # x\n" for one in names), "utf-8")
    return write(
        directory, workloads={**changed(WORKLOADS, "accounts", ABSENT), "accounts_file": "accounts.txt", **more}
    )


@pytest.mark.parametrize("count", [1, 50])
def test_a_file_is_the_accounts(tmp_path: Path, count: int) -> None:
    configuration = load(listed(tmp_path, MANY[:count]))
    assert target_policy(configuration).accounts == frozenset(MANY[:count])
    assert Foundation.of(configuration).targets.accounts == tuple(MANY[:count])


@pytest.mark.parametrize("count", [51, 60, 2000])
def test_more_than_policies_have_room_for_need_what_bounds_those(tmp_path: Path, count: int) -> None:
    (line,) = errors_of(listed(tmp_path, MANY[:count]))
    assert line.startswith(f"workloads.yaml: accounts_file: names {count} accounts, and policies have room for 50")
    assert "give organization_paths or organization_id as well" in line


@pytest.mark.parametrize("bound", [{"organization_paths": [PATH]}, {"organization_id": "o-a1b2c3d4e5"}])
def test_rows_may_name_the_accounts_of_the_file_and_policies_name_none(tmp_path: Path, bound: dict[str, Any]) -> None:
    configuration = load(listed(tmp_path, MANY, **bound))
    policy, targets = target_policy(configuration), Foundation.of(configuration).targets
    assert policy.accounts == frozenset(MANY)
    assert account_reasons(MANY[-1], policy) == []
    (reason,) = account_reasons("222222222222", policy)
    assert "accounts_file" in reason
    assert targets.accounts == ()


def test_paths_alone_admit_any_account_below_them(tmp_path: Path) -> None:
    workloads = {**changed(WORKLOADS, "accounts", ABSENT), "organization_paths": [PATH]}
    configuration = load(write(tmp_path, workloads=workloads))
    assert target_policy(configuration).accounts is None
    assert Foundation.of(configuration).targets.organization_paths == (PATH,)


@pytest.mark.parametrize(
    ("accounts", "more", "said"),
    [
        (["222222222222", "x", "333"], {}, "accounts.txt: line 4: must be an account id of 12 digits, not 'x'"),
        ([str(one) for one in range(10)], {}, "accounts.txt: 5 more lines are wrong"),
        ([], {}, "accounts.txt: names no account: write one a line"),
        (["222222222222"] * 2, {}, "names 222222222222 more than once"),
        (["222222222222"], {"accounts": ["333333333333"]}, "give either accounts or accounts_file"),
        (
            ["222222222222"],
            {"organization_paths": [PATH], "organization_id": "o-a1b2c3d4e5"},
            "give either organization_id or organization_paths",
        ),
        (["111111111111"], {"organization_paths": [PATH]}, "names the toolchain's own account 111111111111"),
        (
            ["222222222222"],
            {"organization_paths": [PATH], "leaving": {"accounts": ["333333333333"]}},
            "leaving.accounts: leave it out: with organization_paths, all accounts are reached",
        ),
    ],
)
def test_a_file_of_accounts_is_checked(tmp_path: Path, accounts: list[str], more: dict[str, Any], said: str) -> None:
    assert said in "\n".join(errors_of(listed(tmp_path, accounts, **more)))


def test_the_toolchains_own_account_may_be_in_a_file_that_is_the_policy(tmp_path: Path) -> None:
    assert target_policy(load(listed(tmp_path, ["111111111111"]))).accounts == frozenset({"111111111111"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.txt", "there is no none.txt beside this file"),
        (["a.txt"], "['a.txt']: must be the name of a file beside this one that ends with .txt"),
        ("../a.txt", "'../a.txt': must be the name of a file beside this one that ends with .txt"),
    ],
)
def test_a_file_that_is_not_read_is_all_that_is_told(tmp_path: Path, name: Any, said: str) -> None:
    workloads = {**changed(WORKLOADS, "accounts", ABSENT), "accounts_file": name}
    assert errors_of(write(tmp_path, workloads=workloads)) == [f"workloads.yaml: accounts_file: {said}"]
