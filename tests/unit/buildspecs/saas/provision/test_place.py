"""What a landing zone publishes is there, or a new tenant says what lacks before anything is made."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from buildspecs.saas.provision.place import unpublished
from lambdas.common.cross_account import LookupRoles

ACCOUNT, REGION = "222222222222", "eu-west-1"
NAMES = ("/landing/subnets", "/landing/vpc")


def lookup(made: list[dict[str, Any]], client: Any = None) -> LookupRoles:
    sts = boto3.client("sts", region_name=REGION)

    class Sts:
        def assume_role(self, **given: Any) -> Any:
            made.append(given)
            return sts.assume_role(**given)

    def make_client(service: str, *, region: str, credentials: Any) -> Any:
        return client or boto3.client(service, region_name=region)  # type: ignore[call-overload]

    return LookupRoles(sts=Sts(), qualifier="granary", make_client=make_client)


def problem(made: list[dict[str, Any]], client: Any = None) -> str | None:
    return unpublished(lookup(made, client), account=ACCOUNT, region=REGION, parameters=NAMES)


def test_where_nothing_is_named_nobody_is_asked(aws: None) -> None:
    made: list[dict[str, Any]] = []
    assert unpublished(lookup(made), account=ACCOUNT, region=REGION, parameters=()) is None
    assert made == []


def test_what_is_not_published_is_named_and_then_it_is_there(aws: None) -> None:
    ssm = boto3.client("ssm", region_name=REGION)
    made: list[dict[str, Any]] = []
    ssm.put_parameter(Name=NAMES[1], Value="vpc-1", Type="String")
    told = problem(made)
    assert told
    assert "account 222222222222 has in eu-west-1 no parameter /landing/subnets, which workloads.place" in told
    ssm.put_parameter(Name=NAMES[0], Value="subnet-1,subnet-2", Type="StringList")
    assert problem(made) is None
    assert '"Resource": ["arn:aws:ssm:eu-west-1:222222222222:parameter/landing/subnets"' in made[0]["Policy"]


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_bootstrap_stack_of_before_is_to_be_renewed(aws: None, code: str) -> None:
    with Stubber(boto3.client("ssm", region_name=REGION)) as ssm:
        ssm.add_client_error("get_parameters", code)
        told = problem([], ssm.client)
    assert told
    assert "does not let this factory look in eu-west-1 at the parameters that workloads.place names" in told
    assert "granary bootstrap-template" in told
