"""What the tests of the lifecycle function's adapters share: stubbed clients, and sessions in an account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import boto3
from botocore.stub import Stubber

from lambdas.saas.lifecycle.roles import Roles
from tests.unit.lambdas.saas.lifecycle_fakes import WORKLOAD

REGION = "eu-west-1"
NAME = "silo-acme-pipeline"
ROLE = f"arn:aws:iam::{WORKLOAD}:role/granary/cdk-granary"
EXECUTION_ROLE = f"{ROLE}-cfn-exec-role-{WORKLOAD}-{REGION}"
SESSION = {
    "Credentials": {
        "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
        "SecretAccessKey": "secret",
        "SessionToken": "token",
        "Expiration": "2026-11-25T13:00:00Z",
    }
}
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@contextmanager
def stubbed(service: str) -> Iterator[Stubber]:
    with Stubber(boto3.client(service, region_name=REGION)) as stub:  # type: ignore[call-overload]
        yield stub
        stub.assert_no_pending_responses()


def roles(sts: Stubber, stub: Stubber | None = None) -> Roles:
    return Roles(
        sts=sts.client, qualifier="granary", prefix="granary", make_client=lambda *_, **__: stub and stub.client
    )
