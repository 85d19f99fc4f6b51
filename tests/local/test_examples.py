"""The examples, deployed as far as the local cloud goes, where CloudFormation may do what the check says alone."""

from __future__ import annotations

import json

import pytest

from local_cloud.cloud import LocalCloud
from tests.local.examples_support import Example

_ACCOUNT = "700000000039"


@pytest.fixture(scope="module")
def notes(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The serverless example with a tenant, deployed by the CDK CLI."""
    made = Example.ready("component-serverless", cloud=cloud, account=_ACCOUNT, root=tmp_path_factory.mktemp("notes"))
    made.synthesized({"id": "acme"})
    made.deploy("silo-acme")
    return made


def test_the_serverless_example_answers(notes: Example) -> None:
    """Given both stacks, then its function answers with what its table has."""
    notes.bench.client("dynamodb").put_item(TableName="silo-acme-notes", Item={"id": {"S": "milk"}})
    answer = notes.bench.client("lambda").invoke(FunctionName="silo-acme-reader", Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert (told["statusCode"], json.loads(told["body"])) == (200, {"title": "Notes", "notes": ["milk"]}), told
    assert notes.outputs("silo-acme-resources")["GranaryPublicAddress"].startswith("https://")


def test_its_role_is_bounded(notes: Example) -> None:
    roles = notes.bench.client("iam").list_roles(PathPrefix="/granary/")["Roles"]
    (role,) = (one for one in roles if one["RoleName"].startswith("silo-acme-"))
    its = notes.bench.client("iam").get_role(RoleName=role["RoleName"])["Role"]
    assert its["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/landing/boundary")


def test_its_stacks_go_with_the_same_permissions(notes: Example) -> None:
    for name in ("silo-acme-resources", "silo-acme-data"):
        assert notes.delete(name) == "DELETE_COMPLETE", notes.failures(name)
