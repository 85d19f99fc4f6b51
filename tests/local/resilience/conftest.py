"""One factory for the stories of its failovers, and for those of what its roles lack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.resilience import failing as scenes
from tests.local.resilience.failing import Failing


@pytest.fixture(scope="package")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    """A factory with three groups that are at home."""
    with scenes.deployed(tmp_path_factory.mktemp("failover")) as made:
        yield made
