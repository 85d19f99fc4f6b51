"""The entry of `make demo`: where the factory comes from, and what is left of it. The acts play in `tests/local`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from local_cloud.__main__ import DEFAULT_STATE_DIR
from local_cloud.cloud import LocalCloud, LocalCloudError
from local_cloud.factory.demo import gates, lake, saas
from local_cloud.factory.demo.__main__ import main
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import Granary

STANDING = Path("state")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """A local cloud whose factory is built at once."""
    cloud = MagicMock(endpoint="https://127.0.0.1:4566", env=lambda *_: MagicMock())
    cloud.settings.state_dir = STANDING
    monkeypatch.setattr(LocalCloud, "start", cloud.start)
    monkeypatch.setattr(LocalCloud, "attach", cloud.attach)
    cloud.start.return_value = cloud.attach.return_value = cloud
    monkeypatch.setattr(Granary, "build", cloud.build)
    return cloud


def play(monkeypatch: pytest.MonkeyPatch, acts: Callable[..., None], *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["demo", *words])
    monkeypatch.setattr(saas, "play", acts)
    return main()


@pytest.mark.parametrize(
    ("words", "first_act_only", "stopped"), [((), False, True), (("--room", "saas", "--keep"), True, False)]
)
def test_a_factory_is_built_from_nothing(
    cloud: MagicMock, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], first_act_only: bool, stopped: bool
) -> None:
    asked: list[tuple[Any, bool]] = []

    def acts(_stage: Stage, factory: Callable[[], Any], *, first_act_only: bool) -> None:
        asked.append((factory(), first_act_only))

    assert play(monkeypatch, acts, *words) == 0
    cloud.start.assert_called_once_with(DEFAULT_STATE_DIR)
    cloud.build.return_value.push.assert_called_once()
    assert cloud.build.call_args.kwargs["overlay"] is saas.CONFIGURATION
    assert asked == [(cloud.build.return_value, first_act_only)]
    assert cloud.stop.called == stopped


@pytest.mark.parametrize(("name", "room"), [("gates", gates), ("lake", lake)])
def test_a_room_has_its_own_demo_and_configuration(
    cloud: MagicMock, monkeypatch: pytest.MonkeyPatch, name: str, room: Any
) -> None:
    monkeypatch.setattr(room, "play", lambda _stage, factory, **_: factory())
    assert play(monkeypatch, _failure, "--room", name) == 0
    assert cloud.build.call_args.kwargs["overlay"] is room.CONFIGURATION


def test_a_factory_that_stands_is_played_on_and_left(cloud: MagicMock, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Granary] = []

    def acts(_stage: Stage, factory: Callable[[], Granary], **_: object) -> None:
        found.append(factory())

    assert play(monkeypatch, acts, "--on", str(STANDING)) == 0
    cloud.attach.assert_called_once_with(STANDING)
    assert [granary.workspace.root for granary in found] == [STANDING / "workspace"]
    assert [cloud.start.called, cloud.build.called, cloud.stop.called] == [False] * 3


def _problem(stage: Stage, _factory: object, **_: object) -> None:
    stage.expect(holds=False, otherwise="pool1 is gone")


def _failure(*_: object, **__: object) -> None:
    raise LocalCloudError("waited 600 s")


@pytest.mark.parametrize(("acts", "said"), [(_problem, "pool1 is gone"), (_failure, "waited 600 s")])
def test_what_is_not_as_it_should_be_is_told(
    cloud: MagicMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    acts: Callable[..., None],
    said: str,
) -> None:
    assert play(monkeypatch, acts) == 1
    assert said in capsys.readouterr().out
    assert cloud.stop.called


def test_a_cloud_that_runs_already_is_told(
    cloud: MagicMock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.start.side_effect = LocalCloudError("A local cloud already runs")
    assert play(monkeypatch, _failure) == 1
    assert "`make demo-down` stops it" in capsys.readouterr().out
