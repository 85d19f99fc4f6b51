"""Keys that change nothing are told, and no file breaks the loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import CONFIG_DIR, load
from tests.synth.configurations import CHAT
from tests.unit.cli.saas.test_validate import MALFORMED
from tests.unit.config.files import TOOLCHAIN, WORKLOADS, changed, errors_of, write

RINGS = [{"name": "a", "percent": 10}, {"name": "b", "bake_minutes": 1, "alarms": ["x"]}]


@pytest.mark.parametrize(
    ("releases", "said"),
    [
        ({"rings": RINGS}, []),
        ({"strategy": "all-at-once"}, []),
        ({"rings": [*RINGS, {"name": "c", "percent": 1}]}, ["rings.2.percent"]),
        ({"rings": [*RINGS, {"name": "c", "minimum": 1}]}, ["rings.2.minimum"]),
        ({"rings": [{"name": "a", "alarms": ["x"]}]}, ["rings.0.alarms"]),
        ({"strategy": "all-at-once", "rings": RINGS}, ["rings.0"]),
        (
            {"strategy": "one-at-a-time", "concurrency": 7, "rings": [*RINGS, {"name": "c", "max_failures": 1}]},
            ["rings.0", "rings.1", "rings.2.max_failures", "concurrency"],
        ),
        ({"strategy": "all-at-once", "rings": [{"name": "c", "concurrency": 3}]}, ["rings.0.concurrency"]),
    ],
)
def test_keys_that_change_nothing_are_told(tmp_path: Path, releases: Any, said: list[str]) -> None:
    told = load(write(tmp_path, toolchain=changed(TOOLCHAIN, "releases", releases))).without_effect()
    assert [line.split(" ")[1] for line in told] == [f"releases.{key}" for key in said]


@pytest.mark.parametrize("directory", [CONFIG_DIR, CONFIG_DIR / "examples" / "all"])
def test_the_shipped_configuration_has_no_key_without_effect(directory: Path) -> None:
    assert load(directory).without_effect() == []


@pytest.mark.parametrize("name", sorted({*MALFORMED} - {"escape", "half"}))
def test_a_malformed_file_is_told_in_short_lines(tmp_path: Path, name: str) -> None:
    lines = errors_of(write(tmp_path, toolchain=MALFORMED[name]))
    assert all(line.startswith("toolchain.yaml: ") and len(line) < 400 for line in lines)
    assert len(lines) < 50


@pytest.mark.parametrize("name", ["bomb", "merges"])
def test_a_bomb_as_a_value_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    assert "its aliases stand for too much" in errors_of(write(tmp_path, toolchain=MALFORMED[name]))[0]


def test_aliases_that_are_meant_are_read(tmp_path: Path) -> None:
    text = """
prefix: granary
account: &home "111111111111"
region: us-east-1
source: {provider: s3}
ci: {test_command: [pytest]}
tags: {home: *home}
releases:
  rings:
    - &canary {name: canary, percent: 1, bake_minutes: 10}
    - {<<: *canary, name: early}
    - {name: general}
"""
    toolchain = load(write(tmp_path, toolchain=text)).toolchain
    assert [ring.bake_minutes for ring in toolchain.releases.rings] == [10, 10, 0]
    assert toolchain.tags == {"home": "111111111111"}


def test_values_that_are_large_are_told_shortly(tmp_path: Path) -> None:
    value: Any = ["x" * 10_000] * 100
    (line,) = errors_of(write(tmp_path, toolchain=changed(TOOLCHAIN, "region", value)))
    assert len(line) < 200


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_chat_is_refused_where_there_is_none(tmp_path: Path, region: str) -> None:
    toolchain = {**TOOLCHAIN, "region": region, "notifications": {"chat": list(CHAT)}}
    directory = write(tmp_path, toolchain=toolchain, workloads={**WORKLOADS, "regions": [region]})
    assert "toolchain.yaml: notifications.chat: there is no such service" in errors_of(directory)[0]


def test_the_qualifiers_of_the_two_sides_differ(tmp_path: Path) -> None:
    directory = write(tmp_path, workloads={**WORKLOADS, "bootstrap_qualifier": "hnb659fds"})
    assert "workloads.yaml: bootstrap_qualifier: hnb659fds is the toolchain's" in errors_of(directory)[0]
