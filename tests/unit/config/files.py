"""Writing configuration files that differ from good ones in one place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import ConfigurationError, load
from local_cloud.factory.zone import NOTHING_RUNS

TOOLCHAIN: dict[str, Any] = {
    "prefix": "granary",
    "account": "111111111111",
    "region": "us-east-1",
    "source": {"provider": "s3", "object_key": "source.zip"},
    "ci": {"test_command": ["pytest"]},
}
WORKLOADS: dict[str, Any] = {
    "accounts": ["222222222222"],
    "regions": ["us-east-1", "eu-west-1"],
    "component": NOTHING_RUNS,
}
ABSENT = object()


def write(directory: Path, *, toolchain: Any = TOOLCHAIN, workloads: Any = WORKLOADS) -> Path:
    """Write both files; text is written as it is, everything else as YAML."""
    for name, content in (("toolchain", toolchain), ("workloads", workloads)):
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Copy `base` with the value at a dotted path replaced, or taken away (ABSENT)."""
    whole = copy.deepcopy(base)
    *parents, last = path.split(".")
    part = whole
    for name in parents:
        part = part.setdefault(name, {})
    if value is ABSENT:
        del part[last]
    else:
        part[last] = value
    return whole


def errors_of(directory: Path) -> list[str]:
    """Load what must not load; answers the error lines."""
    with pytest.raises(ConfigurationError) as raised:
        load(directory)
    title, *lines = str(raised.value).splitlines()
    assert title == "the configuration has errors:"
    assert all(line.startswith("  ") for line in lines)
    return [line.strip() for line in lines]
