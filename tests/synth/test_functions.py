"""Functions and the settings that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import aws_cdk as cdk
import pytest

from config.models.types import ACCOUNTS_LIMIT
from lambdas.common.settings import DOCUMENTS, Document
from stacks.saas.factory import build_factory
from tests.synth.assembly import Template, read_templates
from tests.synth.cases import FACTORIES
from tests.synth.configurations import Place, configuration
from tests.synth.synthesis import feature_flags

# What Lambda itself gives to every function that we deploy.
GIVEN = {"AWS_REGION"}
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ENVIRONMENT_LIMIT = 4096
REFERENCE = 256
REGIONS, RINGS, ALARMS, ALARM_NAME = 30, 20, 20, 255


def functions(templates: list[Template]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The properties of every function, and the folder of its package."""
    for template in templates:
        for _, resource in template.resources("AWS::Lambda::Function"):
            assert template.path
            digest = resource["Properties"]["Code"]["S3Key"].removesuffix(".zip")
            yield template.path.parent / f"asset.{digest}", resource["Properties"]


def variables(function: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = function["Environment"]["Variables"]
    return found


@pytest.fixture(scope="module")
def at_all_limits(tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    """The templates of the largest configuration that the models accept."""
    place = Place(partition="aws", regions=tuple(f"eu-southwest-{number}" for number in range(REGIONS)))
    alarms = [f"{number:0{ALARM_NAME}}" for number in range(ALARMS)]
    rings = [{"name": f"r{number:031}", "alarms": alarms} for number in range(RINGS)]
    settings = configuration(
        place,
        accounts=[f"{number:012}" for number in range(ACCOUNTS_LIMIT)],
        releases={"rings": rings},
        prefix="g" * 16,
    )
    directory = tmp_path_factory.mktemp("limits")
    app = cdk.App(outdir=str(directory), context=feature_flags(), analytics_reporting=False)
    build_factory(app, configuration=settings)
    app.synth()
    return read_templates(directory, place=place, given=())


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_function_gets_the_settings_that_its_handler_asks_for(
    templates_of: Callable[[str], list[Template]], factory: str
) -> None:
    """Neither less, for it would fail, nor more, for nobody would read it."""
    checked = 0
    for package, function in functions(templates_of(factory)):
        asked = get_type_hints(import_module(function["Handler"].rpartition(".")[0]).Settings)
        documents = {name for name, kind in asked.items() if kind is Document}
        assert set(variables(function)) == {name.upper() for name in asked.keys() - documents} - GIVEN
        assert {path.name for path in (package / DOCUMENTS).iterdir()} == {f"{name}.json" for name in documents}
        checked += 1
    assert checked == 10


def test_no_configuration_is_too_large_for_an_environment(at_all_limits: list[Template]) -> None:
    """Counted generously: what a template refers to has its longest possible value."""
    for _, function in functions(at_all_limits):
        size = sum(
            len(name) + (len(value) if isinstance(value, str) else REFERENCE)
            for name, value in variables(function).items()
        )
        assert size < ENVIRONMENT_LIMIT, function["FunctionName"]
