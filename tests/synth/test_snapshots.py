"""One snapshot a stack, so that a change of what is deployed shows in review.

Update with `pytest tests/synth/test_snapshots.py --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.synth.assembly import Template
from tests.synth.snapshots import YamlExtension, readable

SNAPSHOTS = (
    ("factory-s3", "granary-toolchain"),
    ("factory-s3", "granary-artifacts-eu-west-1"),
    ("roles-gov", "granary-workload-roles"),
    ("tenants-runs", "silo-acme-pipeline"),
    ("tenants-runs", "pool-shared-1-pipeline"),
    ("tenants-asset", "silo-files-pipeline"),
    ("lake", "granary-lake-dev-infrastructure"),  # what holds the data
)


@pytest.mark.parametrize(("case", "stack"), SNAPSHOTS, ids=[f"{case}-{stack}" for case, stack in SNAPSHOTS])
def test_the_template_is_as_reviewed(
    case: str, stack: str, templates_of: Callable[[str], list[Template]], snapshot: SnapshotAssertion
) -> None:
    (template,) = [template for template in templates_of(case) if template.stack == stack]
    assert readable(template) == snapshot(extension_class=YamlExtension)
