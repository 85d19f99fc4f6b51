"""Sample tenants for what rooms check: of every type, where rows may go."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loader import load
from lambdas.saas.model.row_rules import id_reasons
from stacks.saas.samples import sample_tenants as plan
from tests.synth.configurations import AWS, CHINA, WORKLOAD_ACCOUNTS, Place, configuration


@pytest.mark.parametrize("place", [AWS, CHINA], ids=["aws", "aws-cn"])
@pytest.mark.parametrize(("organization", "account"), [(False, WORKLOAD_ACCOUNTS[0]), (True, "000000000000")])
def test_a_silo_and_a_pool_are_where_rows_may_go(place: Place, organization: bool, account: str) -> None:
    made = plan(configuration(place, organization=organization))
    assert {one.type for one in made.deployments} == {"silo", "pool"}
    assert {(one.account, one.region) for one in made.deployments} == {(account, place.home)}
    assert all(arn.startswith(f"arn:{place.partition}:kms:{region}:") for region, arn in made.artifact_keys.items())


def test_each_tier_has_a_sample_of_its_own() -> None:
    made = plan(load(Path("config/examples/all")))
    assert [(one.id, one.size, one.tier) for one in made.deployments] == [
        ("sample", "large", ""),
        ("sample", "large", ""),
        ("sample-gold", "", "gold"),
        ("sample-free", "", "free"),
    ]
    assert id_reasons(f"sample-{'t' * 32}") == [], "the longest name of a tier makes an id"
