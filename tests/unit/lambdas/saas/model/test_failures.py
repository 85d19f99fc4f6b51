"""Sorting reasons of failures into categories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.failures import FailureCategory, category_of


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        ("stopped by request: wrong commit", "stopped"),
        ("build granary-provisioning:1 ended without a result; it is started again", "build"),
        ("stage Build, action Assets: Build terminated with state: FAILED", "build"),
        ("stage Build, action Synth: Build terminated with state: FAILED", "synth"),
        ("account 222222222222 is not bootstrapped in eu-west-1: run cdk bootstrap", "account"),
        ("cannot assume arn:aws:iam::222222222222:role/granary/cdk-granary-lookup-role", "account"),
        ("stage Deploy, action Deploy: x; Service (AWS::ECS::ExpressGatewayService): image not found", "stack"),
        ("stack silo-acme-pipeline could not be deployed: rolled back", "stack"),
        ("roles: 12 more are needed, and the quota of 1000 has room for 3", "quota"),
        ("CodeBuild is at its limit: Cannot have more than 1 builds in queue", "quota"),
        ("stage Source, action Source: the object does not exist", "pipeline"),
        ("who knows", "other"),
        ("", "other"),
    ],
)
def test_each_reason_has_its_category(reason: str, category: str) -> None:
    assert category_of(reason) == category


@given(st.text(max_size=300))
def test_every_reason_has_one(reason: str) -> None:
    assert category_of(reason) in FailureCategory
