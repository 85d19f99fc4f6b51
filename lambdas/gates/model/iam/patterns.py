"""Patterns of actions and resources as sets of strings, exactly; pure.

`*` and `?` are IAM's. `${...}` is a policy variable or what is only known after deployment: a symbol of its own that is
equal to itself alone, that `*` takes and `?` does not. So whatever holds here holds for each value that it may get.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, count

_ATOM = re.compile(r"\$\{[^}]*\}|.", re.DOTALL)
_COLON = re.compile(r":(?![^{}]*\})")  # none within a symbol
_NAMED = re.compile(r"(arn:[^*?{}]*)(\$\{@[^}]*#[A-Za-z0-9]+\})")  # an ARN that ends in the name of a resource
_LITERALS = {"${*}": "\\*", "${?}": "\\?", "${$}": "$"}
_STATES = 20_000


class TooManyStatesError(ValueError):
    """Patterns that are compared have more states than are looked at."""


@lru_cache(maxsize=4096)
def _atoms(pattern: str) -> tuple[str, ...]:
    return tuple(_LITERALS.get(atom, atom) for atom in _ATOM.findall(pattern))


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern has this string."""
    return outside(text.replace("*", "${*}").replace("?", "${?}"), (pattern,)) is None


def arn_within(one: str, other: str) -> bool:
    """Whether the second pattern has all of the first, also if no wildcard can stand for several parts of an ARN."""
    parts, others = (_COLON.split(each, maxsplit=5) for each in (one, other))
    if len(parts) != len(others) or len(parts) < 6:  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return other in ("*", one)
    return all(outside(part, (whole,)) is None for part, whole in zip(parts, others, strict=True))


@lru_cache(maxsize=65536)
def overlap(one: str, other: str) -> bool:
    """Whether both patterns can have a string in common; a symbol can be any, but two resources have not one ARN."""
    if (mine := _NAMED.fullmatch(one)) and (theirs := _NAMED.fullmatch(other)) and mine[1] == theirs[1]:
        return mine[2] == theirs[2]
    a, b = (tuple("*" if len(atom) > 2 else atom for atom in _atoms(each)) for each in (one, other))  # noqa: PLR2004
    seen, todo = set(), [(0, 0)]
    while todo:
        i, j = todo.pop()
        if (i, j) == (len(a), len(b)):
            return True
        if (i, j) in seen:
            continue
        seen.add((i, j))
        x, y = a[i] if i < len(a) else "", b[j] if j < len(b) else ""
        if x == "*":
            todo += [(i + 1, j), *([(i, j + 1)] if y else [])]
        if y == "*":
            todo += [(i, j + 1), *([(i + 1, j)] if x else [])]
        if x and y and (x == y or "?" in (x, y)):
            todo.append((i + 1, j + 1))
    return False


def outside(pattern: str, others: tuple[str, ...]) -> str | None:
    """The shortest string that a pattern has and none of the others has, or None: they have all of it.

    Raises:
        TooManyStatesError: that would take too long to find out.
    """
    if pattern in others:
        return None
    a, bs = _atoms(pattern), [_atoms(other) for other in others]
    letters = {atom for each in (a, *bs) for atom in each if atom not in ("*", "?") and len(atom) <= 2}  # noqa: PLR2004
    letters.add(next(one for one in map(chr, chain(b"xwvutsrqponmlkjihgfedcba", count(0x100))) if one not in letters))
    start = _closed(bs, {(n, 0) for n in range(len(bs))})
    seen, todo = {(0, start)}, deque([(0, start, "")])
    while todo:
        i, covered, text = todo.popleft()
        if i == len(a) and not any(j == len(bs[n]) for n, j in covered):
            return text
        for letter, then in _steps(a, i, letters):
            state = (then, _closed(bs, _moved(bs, covered, letter)) if letter else covered)
            if state not in seen:
                seen.add(state)
                todo.append((*state, text + letter.removeprefix("\\")))
        if len(seen) > _STATES:
            raise TooManyStatesError(f"{pattern!r} is too involved to compare")
    return None


def _steps(a: tuple[str, ...], i: int, letters: set[str]) -> Iterator[tuple[str, int]]:
    if i == len(a):
        return
    if a[i] == "*":
        yield "", i + 1
        yield from ((letter, i) for letter in sorted(letters))
    elif a[i] == "?":
        yield from ((letter, i + 1) for letter in sorted(letters))
    else:
        yield a[i], i + 1


def _moved(bs: list[tuple[str, ...]], covered: frozenset[tuple[int, int]], letter: str) -> set[tuple[int, int]]:
    after = set()
    for n, j in covered:
        atom = bs[n][j] if j < len(bs[n]) else ""
        if atom == "*":
            after.add((n, j))
        elif atom == letter or (atom == "?" and len(letter) <= 2):  # noqa: PLR2004
            after.add((n, j + 1))
    return after


def _closed(bs: list[tuple[str, ...]], states: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    closed, todo = set(states), list(states)
    while todo:
        n, j = todo.pop()
        if j < len(bs[n]) and bs[n][j] == "*" and (n, j + 1) not in closed:
            closed.add((n, j + 1))
            todo.append((n, j + 1))
    return frozenset(closed)
