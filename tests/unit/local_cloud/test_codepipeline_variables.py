"""Variables of pipelines and actions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.codepipeline.errors import ActionFailed, ServiceError
from local_cloud.codepipeline.variables import pipeline_variables, resolve, resolve_configuration

NAMESPACES = {"codepipeline": {"PipelineExecutionId": "42"}, "Build": {"OUT": "x#{y"}}


def test_references_are_replaced_once() -> None:
    text = "a-#{codepipeline.PipelineExecutionId}-#{Build.OUT}-#{codepipeline.PipelineExecutionId}"
    assert resolve(text, NAMESPACES) == "a-42-x#{y-42"


def test_all_values_of_a_configuration_are_resolved() -> None:
    assert resolve_configuration({"A": "#{Build.OUT}", "B": "plain"}, NAMESPACES) == {"A": "x#{y", "B": "plain"}


@pytest.mark.parametrize("reference", ["#{Build.Missing}", "#{Missing.OUT}"])
def test_an_unknown_reference_fails_the_action(reference: str) -> None:
    with pytest.raises(ActionFailed, match="Known namespaces: Build, codepipeline") as failure:
        resolve(reference, NAMESPACES)
    assert failure.value.code == "ConfigurationError"
    assert reference in failure.value.message


@given(st.text().filter(lambda text: "#{" not in text))
def test_text_without_references_is_kept(text: str) -> None:
    assert resolve(text, NAMESPACES) == text


def test_pipeline_variables_take_given_values_over_defaults() -> None:
    assert pipeline_variables(defaults={"a": "1", "b": None}, given={"b": "2"}) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("given_values", "message"), [({}, "variable b is missing"), ({"b": "1", "c": "2"}, "does not declare .* c")]
)
def test_missing_and_unknown_variables_are_refused(given_values: dict[str, str], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        pipeline_variables(defaults={"a": "1", "b": None}, given=given_values)
