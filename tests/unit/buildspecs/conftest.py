"""Fixtures that the tests of the builds share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.common.clients import client
from tests.unit.lambdas.conftest import aws as moto_aws

__all__ = ["moto_aws"]


@pytest.fixture
def aws(moto_aws: None) -> Iterator[None]:
    """An AWS of moto's, with no client kept from test to test."""
    client.cache_clear()
    yield
    client.cache_clear()
