"""Fixtures of the lake's commands."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.unit.cli.lake.lakes import DEV, EXAMPLES, PROD
from tests.unit.cli.saas.factory import ACCOUNT, Factory
from tests.unit.config.files import TOOLCHAIN, WORKLOADS, changed, write

_WORKLOADS = changed(WORKLOADS, "accounts", [ACCOUNT, PROD["account"]])


@pytest.fixture
def lake(factory: Factory) -> Factory:
    """A factory with two lakes, one of them in the account of these credentials."""
    shutil.copytree(EXAMPLES / "datasets", factory.directory / "datasets")
    section = {"environments": [DEV, PROD], "datasets": ["green_trips"]}
    write(factory.directory, toolchain=changed(TOOLCHAIN, "account", ACCOUNT), workloads=_WORKLOADS)
    (factory.directory / "lake.yaml").write_text(json.dumps(section), encoding="utf-8")
    return factory
