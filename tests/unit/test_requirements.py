"""The locks are whole: builds install them without asking for what their packages need (`pip install --no-deps`)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).resolve().parents[2]


def _locked(*files: str) -> dict[str, Requirement]:
    lines = [line for name in files for line in (_ROOT / name).read_text(encoding="utf-8").splitlines() if line]
    parsed = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(found.name): found for found in parsed if not found.marker or found.marker.evaluate()}


def _missing(locked: dict[str, Requirement]) -> Iterator[str]:
    for name, pin in locked.items():
        try:
            needed = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:
            yield f"{name} is locked and not installed"
            continue
        for need in needed:
            applies = not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in ("", *pin.extras))
            if applies and canonicalize_name(need.name) not in locked:
                yield f"{name} needs {need.name}, which is not locked: run `make lock`"


@pytest.mark.parametrize("files", [("requirements.txt",), ("requirements.txt", "requirements-dev.txt")])
def test_what_a_locked_package_needs_is_locked(files: tuple[str, ...]) -> None:
    assert list(_missing(_locked(*files))) == []
