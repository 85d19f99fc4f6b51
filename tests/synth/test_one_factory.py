"""An account and Region have one factory: a second one is refused before anything is left behind of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from lambdas.common.cloud_assembly import stacks_in, stages_in
from tests.synth.assembly import Template


def test_what_a_failed_creation_would_leave_behind_waits_for_the_one_name(
    templates_of: Callable[[str], list[Template]],
) -> None:
    """Given keys, buckets and tables that are retained, then each comes after the parameter that a second one meets."""
    (toolchain,) = [one for one in templates_of("factory-s3") if one.stack == "granary-toolchain"]
    resources = dict(toolchain.resources())
    (factory,) = [
        logical_id
        for logical_id, resource in toolchain.resources("AWS::SSM::Parameter")
        if resource["Properties"]["Name"] == "/granary-factory"
    ]
    text = {logical_id: json.dumps(resource) for logical_id, resource in resources.items()}
    after, before = {factory}, set[str]()
    while after != before:
        before = set(after)
        after |= {one for one, said in text.items() if before & set(re.findall(r"\w+", said))}
    kept = ("Retain", "RetainExceptOnCreate")  # the latter too: a deletion that fails on the way back leaves it
    retained = {one for one, resource in resources.items() if resource.get("DeletionPolicy") in kept}
    assert len(retained) >= 8
    assert retained <= after
    assert resources[factory].get("DeletionPolicy", "Delete") == "Delete"


def test_the_stacks_of_tenants_pipelines_say_whose_they_are(templates_of: Callable[[str], list[Template]]) -> None:
    """Stack tags are no part of a template: no pipeline of before has to change for it."""
    (pipeline, *_) = [one for one in templates_of("tenants-nothing-runs") if one.stack.endswith("-pipeline")]
    assert pipeline.path
    (own,) = [one for one in stacks_in(pipeline.path.parent, nested=False) if one.name == pipeline.stack]
    assert own.tags["granary:factory"] == "granary"
    assert "granary:factory" not in json.dumps(pipeline.body)
    nested = [one for _, stage in stages_in(pipeline.path.parent) for one in stacks_in(stage)]
    components = [one.tags["granary:factory"] for one in nested]
    assert components
    assert {one.split("/")[0] for one in components} == {"granary"}
    assert all(re.fullmatch(r"granary/[0-9]{12}/[a-z0-9-]+", one) for one in components), "of this toolchain alone"
