"""Fixtures of the lifecycle function's adapters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from tests.unit.lambdas.saas.lifecycle.adapters import stubbed


@pytest.fixture
def sts(aws: None) -> Iterator[Stubber]:
    with stubbed("sts") as stub:
        yield stub
