"""The first creation of the factory: when it fails, nothing is left that would block the second."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_kms as kms

from constructs_lib.saas.deployment_tables import DeploymentTables
from lambdas.saas.model.names import SaasNames


def tables(**context: Any) -> list[dict[str, Any]]:
    stack = cdk.Stack(cdk.App(context=context), "Tables")
    DeploymentTables(stack, "Tables", names=SaasNames(prefix="granary"), key=kms.Key(stack, "Key"))
    found = assertions.Template.from_stack(stack).find_resources("AWS::DynamoDB::Table")
    return [dict(table) for table in found.values()]


@pytest.mark.parametrize(("context", "protected"), [({}, True), ({"first": "true"}, False), ({"first": "false"}, True)])
def test_tables_are_protected_by_every_deployment_but_the_first(context: dict[str, str], protected: bool) -> None:
    """A table that is protected cannot be rolled back; whoever says nothing, as CI/CD does, protects it."""
    found = tables(**context)
    assert [one["Properties"]["DeletionProtectionEnabled"] for one in found] == [protected] * 3


def test_what_a_creation_that_fails_has_made_goes_and_all_else_stays() -> None:
    policies = {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in tables()}
    assert policies == {("RetainExceptOnCreate", "Retain")}
