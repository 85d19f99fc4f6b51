"""Splitting into batches; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def chunked(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Split items into batches of at most `size`, in order."""
    return [items[i : i + size] for i in range(0, len(items), size)]
