"""What `component:` in config/workloads.yaml may say of the demo component, and what it needs of quotas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from component.demo import SIZES, SPEC, Component
from config.loader import load
from constructs_lib.saas.component_spec import Needs
from lambdas.saas.model.record import Size
from tests.unit.config.files import WORKLOADS, changed, errors_of, write

DEMO = {**WORKLOADS, "component": {"kind": "task_definition", "image": "registry.example/web:1.2"}}


@pytest.mark.parametrize(
    ("image", "good"),
    [
        ("localhost:5000/nginx:1.2", True),
        ("registry.example:443/team/web:1.2@sha256:" + "a" * 64, True),
        ("nginx:1.2", True),
        ("localhost:5000/nginx", False),
        ("localhost:5000/nginx:latest", False),
        ("nginx", False),
        ("a:b:c", False),
    ],
)
def test_an_image_may_be_in_a_registry_with_a_port_and_has_a_tag(tmp_path: Path, image: str, good: bool) -> None:
    directory = write(tmp_path, workloads=changed(DEMO, "component.image", image))
    if good:
        assert load(directory).workloads.component.image == image
    else:
        assert "component.image: must " in errors_of(directory)[0]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("component.kind", "vm", "component.kind: must be 'container_service' or 'task_definition', not 'vm'"),
        ("component.image", "nginx", "component.image: must match pattern"),
        ("component.image", "nginx:latest", "component.image: must name a version"),
        ("component.port", 65536, "component.port: must be less than or equal to 65535"),
    ],
)
def test_errors_are_told(tmp_path: Path, key: str, value: Any, said: str) -> None:
    (line,) = errors_of(write(tmp_path, workloads=changed(DEMO, key, value)))
    assert line.startswith("workloads.yaml: ")
    assert said in line


@pytest.mark.parametrize(
    ("kind", "place", "said"),
    [
        ("container_service", "222222222222/eu-west-1", ""),
        ("container_service", "333333333333/eu-west-1", "no row may name it"),
        ("container_service", "222222222222/ap-south-1", "no row may name it"),
        ("task_definition", "222222222222/eu-west-1", "a task_definition runs nothing"),
    ],
)
def test_subnets_that_nothing_goes_into_are_told(tmp_path: Path, kind: str, place: str, said: str) -> None:
    component = {**DEMO["component"], "kind": kind, "subnets": {place: ["subnet-0a1b2c3d"]}}
    told = load(write(tmp_path, workloads={**DEMO, "component": component})).without_effect()
    assert told == ([f"workloads.yaml: component.subnets.{place} has no effect: {said}"] if said else [])


def test_every_kind_and_size_has_its_needs_counted() -> None:
    kinds = get_args(Component.model_fields["kind"].annotation)
    found = {(kind, size): SPEC.needs(Component(kind=kind), size) for kind in kinds for size in Size}
    assert {needs for (kind, _), needs in found.items() if kind == "task_definition"} == {Needs()}
    services = {size: needs.fargate_quarters for (kind, size), needs in found.items() if kind == "container_service"}
    assert {size: str(quarters * 256) for size, quarters in services.items()} == {
        size: cpu for size, (cpu, _) in SIZES.items()
    }
