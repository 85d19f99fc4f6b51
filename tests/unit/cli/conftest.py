"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from lambdas.common.clients import client
from tests.unit.cli.saas.factory import ACCOUNT, Factory
from tests.unit.config.files import TOOLCHAIN, changed, write
from tests.unit.lambdas.conftest import aws as moto_aws

__all__ = ["moto_aws"]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A directory with a configuration whose toolchain is moto's account."""
    return write(tmp_path, toolchain=changed(TOOLCHAIN, "account", ACCOUNT))


@pytest.fixture
def aws(moto_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS of moto's, with no client and no session kept from test to test."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.delenv("GRANARY_DEBUG", raising=False)
    client.cache_clear()
    yield
    client.cache_clear()


@pytest.fixture
def factory(aws: None, configuration: Path, monkeypatch: pytest.MonkeyPatch) -> Factory:
    """An empty factory."""
    return Factory(directory=configuration, monkeypatch=monkeypatch)
