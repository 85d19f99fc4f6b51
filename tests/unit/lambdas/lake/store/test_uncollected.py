"""Cycles are not looked for meanwhile, and are afterwards, whatever happens."""

from __future__ import annotations

import gc

import pytest

from lambdas.lake.store.uncollected import uncollected


@uncollected()
def _inner() -> None:
    assert not gc.isenabled()


@uncollected()
def _outer() -> None:
    _inner()
    assert not gc.isenabled()
    raise KeyError


def test_the_collector_rests_until_the_outermost_block_ends() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError):
        _outer()
    assert gc.isenabled()
