"""What the sweep may do about a release's run, and what it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.synth.assembly import Template, flat
from tests.synth.rules.policies import Statement, statements

Read = Callable[[str], list[Template]]


@pytest.fixture
def toolchain(templates_of: Read) -> Template:
    (template,) = [found for found in templates_of("factory-s3") if found.stack == "granary-toolchain"]
    return template


@pytest.fixture
def its_own(toolchain: Template) -> list[Statement]:
    """The statements of the sweep's role."""
    found = [one for one in statements(toolchain) if one.kind == "identity" and one.owner.startswith("ReconcilerSweep")]
    assert found
    return found


def test_it_asks_for_executions_of_the_release_machine_alone(its_own: list[Statement]) -> None:
    (asking,) = [one for one in its_own if "states:DescribeExecution" in one.actions]
    assert asking.actions == ["states:DescribeExecution"]
    (resource,) = asking.resources
    assert resource.endswith(":execution:granary-release:*")


def test_it_may_start_machines_and_stop_nothing(its_own: list[Statement]) -> None:
    actions = {action for one in its_own for action in one.actions if action.startswith("states:")}
    assert actions == {"states:DescribeExecution", "states:StartExecution"}


def test_it_may_start_both_machines_by_name(its_own: list[Statement]) -> None:
    starting = [one for one in its_own if "states:StartExecution" in one.actions]
    machines = {resource.rsplit(":", 1)[-1] for one in starting for resource in one.resources}
    assert machines == {"granary-lifecycle", "granary-release"}


def test_it_writes_single_items_of_the_releases(toolchain: Template, its_own: list[Statement]) -> None:
    (table,) = [
        logical_id
        for logical_id, resource in toolchain.resources("AWS::DynamoDB::Table")
        if resource["Properties"]["TableName"] == "granary-releases"
    ]
    (writing,) = [one for one in its_own if f"${{{table}.Arn}}" in one.resources]
    assert set(writing.actions) == {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}


def test_it_knows_the_machine_the_table_and_what_a_removed_row_does(toolchain: Template) -> None:
    (variables,) = [
        resource["Properties"]["Environment"]["Variables"]
        for _, resource in toolchain.resources("AWS::Lambda::Function")
        if resource["Properties"]["FunctionName"] == "granary-sweep"
    ]
    assert flat(variables["RELEASE_MACHINE"]).endswith(":stateMachine:granary-release")
    assert (variables["RELEASES_TABLE"], variables["ON_ROW_REMOVED"]) == ("granary-releases", "keep")
