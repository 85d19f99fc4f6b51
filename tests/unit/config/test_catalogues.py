"""Every key of groups, applications, databases and rings reaches what the functions have."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from config.loader import CONFIG_DIR
from config.models.failover import Section as Failover
from config.models.resilience import Section as Resilience

_EXAMPLE = CONFIG_DIR / "examples" / "all"
_FAILOVER = yaml.safe_load((_EXAMPLE / "failover.yaml").read_text(encoding="utf-8"))
_FAILOVER["tenants"][0]["withdrawn"] = True
_Path = tuple[str | int, ...]
_FAULT = {
    "name": "stop",
    "action": "aws:ecs:stop-task",
    "selection": "COUNT(1)",
    "filters": [{"path": "a", "values": ["b"]}],
}
_EXPERIMENTS = {
    "experiments": [
        {
            "name": "all",
            "description": "x",
            "duration_minutes": 5,
            "faults": [
                {**_FAULT, "tags": {"a": "b"}, "target_parameters": {"a": "b"}, "parameters": {"a": "b"}},
                {"name": "named", "action": "aws:ecs:stop-task", "arns": ["arn:{id}"], "start_after": ["stop"]},
            ],
            "stop_alarms": ["x"],
            "log_group": "x",
        }
    ],
    "steady_states": [
        {
            "name": "well",
            "probes": [
                {"name": "a", "alarm": "x"},
                {
                    "name": "u",
                    "url": "https://x",
                    "status": 204,
                    "samples": 2,
                    "success_percent": 50,
                    "timeout_seconds": 2,
                },
            ],
        },
        {"name": "built", "probes": [{"name": "b", "build": "{type}-{id}-x"}]},
    ],
    "rings": [
        {"name": "a", "experiment": "all", "steady_state": "well", "settle_minutes": 1, "recover_minutes": 1},
        {"name": "b", "experiment": "all", "mode": "dry-run"},
        {"name": "c", "steady_state": "built", "demands": ["a"]},
    ],
}


def _optional(model: BaseModel, path: _Path = ()) -> Iterator[tuple[type[BaseModel], str, _Path]]:
    """Each key with another value than its default: whose it is, and where."""
    for name in sorted(model.model_fields_set):
        value, its = getattr(model, name), (*path, name)
        field = type(model).model_fields[name]
        if not field.is_required() and value != field.default:
            yield type(model), name, its
        parts: dict[Any, Any] = {}
        if isinstance(value, BaseModel):
            yield from _optional(value, its)
        elif isinstance(value, dict):
            parts = value
        elif isinstance(value, tuple):
            parts = dict(enumerate(value))
        for key, part in parts.items():
            if isinstance(part, BaseModel):
                yield from _optional(part, (*its, key))


def _without(file: Any, path: _Path) -> Any:
    changed = copy.deepcopy(file)
    part = changed
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return changed


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all that its keys are made of."""
    yield model
    for field in model.model_fields.values():
        for one in _classes(field.annotation):
            yield from _models(one)


def _classes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in getattr(annotation, "__args__", ()):
        yield from _classes(one)


def _failover(section: Any) -> Any:
    # What the stacks are given besides.
    return section.catalogue().to_json(), [one.drill_schedule for one in section.groups], section.emails


def _resilience(section: Any) -> Any:
    return section.chaos().to_json(), section.demanded


@pytest.mark.parametrize(
    ("kind", "file", "made"),
    [
        (Failover, _FAILOVER, _failover),
        (Resilience, _EXPERIMENTS, _resilience),
    ],
)
def test_each_key_that_is_given_reaches_the_functions(
    kind: type[BaseModel], file: Any, made: Callable[[Any], Any]
) -> None:
    section = kind.model_validate(file)
    given = list(_optional(section))
    lost = []
    for _, _, path in given:
        try:
            less = kind.model_validate(_without(file, path))
        except ValidationError:
            continue  # something else needs it
        if made(less) == made(section):
            lost.append(path)
    assert lost == []
    known = {
        (model, name) for model in _models(kind) for name, its in model.model_fields.items() if not its.is_required()
    }
    assert known - {(model, name) for model, name, _ in given} == set(), "no example has them"
