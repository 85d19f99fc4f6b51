"""How many examples a property gets that needs more or fewer than the others."""

from __future__ import annotations

from hypothesis import settings


def examples(of_a_hundred: int) -> int:
    """So many for each hundred of the profile's: see `tests/conftest.py`."""
    return max(of_a_hundred * settings().max_examples // 100, 1)
