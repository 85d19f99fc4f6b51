"""Which tests run when one room is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rooms import other_rooms


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with three rooms, of which each floor has its own."""
    for folder in (
        "lambdas/common",
        "lambdas/saas",
        "lambdas/gates",
        "stacks/saas",
        "stacks/lake",
        "stacks/__pycache__",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "stacks" / "versions.py").touch()
    return tmp_path


def test_the_other_rooms_are_left_out(root: Path) -> None:
    assert other_rooms(root, "saas") == ["gates", "lake"]


def test_nothing_is_left_out_unless_a_room_is_asked_for(root: Path) -> None:
    assert other_rooms(root, "") == []


def test_a_room_that_is_not_there_is_told(root: Path) -> None:
    with pytest.raises(ValueError, match="ROOM=sas is no room: take one of gates, lake, saas"):
        other_rooms(root, "sas")
