"""What of a report is looked at, by patterns, and a walk over its events that builds that alone; pure.

A pattern is a path: `Results[].Vulnerabilities?[]` is each entry of the lists `Vulnerabilities` of the entries of
`Results`; `*` is any key. Each name has to be there, in each of its objects, unless it has a `?` (may be missing, or
null); what has a `~` may be null, with a `+` not empty, and with a `!` nothing else is there. `version=2|3` wants one
of these very values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.common.written import one_line
from lambdas.gates.model.events import DEEPEST, Event, ReportError

MOST_VALUES = 100_000  # of one part that is built
_SEGMENT = re.compile(r"(?P<name>[^?~+!\[\]]*)(?P<flags>[?~+!]*)(?P<list>(?:\[\])?)")
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_EMPTY: dict[str, Callable[[], Any]] = {"start_map": dict, "start_array": list}
_ENDS = frozenset({"end_map", "end_array"})
_NO_KEY = "[]"

# The entries of lists, and of objects with any keys, that something is in, outermost first.
Scopes = tuple[tuple[int, int], ...]


class Node:
    """A place that the patterns of a format name."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.flags = ""
        self.relative = ""  # its path in the part around it: an entry of a list, of an object with any keys, or all
        self.children: dict[str, Node] = {}
        self.required: set[str] = set()
        self.purposes: dict[str, Any] = {}
        self.equals: dict[str, tuple[str, ...]] = {}  # by purpose

    def add(self, pattern: str, purpose: str, value: Any = None) -> None:
        """Name a place, and what it is for."""
        path, _, equals = pattern.partition("=")
        node = self
        for segment in path.split("."):
            found = _SEGMENT.fullmatch(segment)
            if not found:
                raise ValueError(f"{pattern} is no pattern")
            node = node._below(found["name"], found["flags"]) if found["name"] else node
            node.flags += found["flags"]
            node = node._below(_NO_KEY, "?") if found["list"] else node
        node.purposes[purpose] = value
        if equals:
            node.equals[purpose] = tuple(equals.split("|"))

    def _below(self, name: str, flags: str) -> Node:
        if "?" not in flags and name not in ("*", _NO_KEY):
            self.required.add(name)
        if name not in self.children:
            self.children[name] = Node(name)
            around = "" if self.name in ("*", _NO_KEY) else f"{self.relative}."
            self.children[name].relative = self.relative if name == _NO_KEY else f"{around}{name}".lstrip(".")
        return self.children[name]

    def at(self, key: str) -> Node | None:
        """The place below by a key of the report."""
        return self.children.get(key) or self.children.get("*")


@dataclass(frozen=True, slots=True)
class Hit:
    """A part that was built: for which node, in which scopes (outermost first), where, and by which of any keys."""

    node: Node
    scopes: Scopes
    path: tuple[tuple[str, int], ...]
    keys: tuple[str, ...]
    value: Any

    @property
    def where(self) -> str:
        """The place in words."""
        return where_of(self.path)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as the patterns say; at the root it means that the report is of another format."""

    root: bool
    where: str
    words: str


def where_of(path: Sequence[tuple[str, int]]) -> str:
    """A place of a report: a list has no key."""
    return "".join(f".{one_line(key)[:80]}" if key else f"[{index}]" for key, index in path).lstrip(".")


class _Frame:
    """An object or a list of the report that is on the way to something."""

    __slots__ = ("index", "key", "listed", "node", "scopes", "seen")

    def __init__(self, node: Node, scopes: Scopes, *, listed: bool) -> None:
        self.node, self.scopes, self.listed = node, scopes, listed
        self.key, self.index = "", -1
        self.seen: set[str] = set()


class TooManyError(ValueError):
    """One part holds more values than are kept at a time."""


def walk(
    events: Iterable[Event], root: Node, wanted: frozenset[str], *, xml: bool = False, tail: bool = False
) -> Iterator[Hit | Wrong]:
    """Build each part that has one of the purposes; whatever else is there is passed over.

    Raises:
        ReportError: something is nested too deeply, or behind the report's end (`tail`: that is left alone).
    """
    walker = _Walker(iter(events), root, wanted, xml=xml, tail=tail)
    for kind, value in walker.events:
        yield from walker.step(kind, value)


def _build(events: Iterator[Event], first: str, value: Any) -> Any:
    """A part of the report as Python has it. A name that is there twice has a list, as XML's elements do."""
    if first not in _EMPTY:
        return value
    top = built = _EMPTY[first]()
    stack, key, values = [built], "", 0
    for kind, one in events:
        if kind == "map_key":
            key = one
            continue
        if kind in _ENDS:
            stack.pop()
            if not stack:
                break
            top = stack[-1]
            continue
        values += 1
        put = _EMPTY[kind]() if kind in _EMPTY else one
        if values <= MOST_VALUES:
            _put(top, key, put)
        if kind in _EMPTY:
            stack.append(put)
            top = put
            _check_depth(len(stack))
    return built if values <= MOST_VALUES else TooManyError(f"has over {MOST_VALUES:,} values")


def _put(top: Any, key: str, value: Any) -> None:
    if type(top) is list:
        top.append(value)
    elif key not in top:
        top[key] = value
    elif type(top[key]) is list:
        top[key].append(value)
    else:
        top[key] = [top[key], value]


def _skip(events: Iterator[Event]) -> None:
    depth = 1
    for kind, _ in events:
        if step := _STEPS.get(kind):
            depth += step
            _check_depth(depth)
            if not depth:
                return


def _check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise ReportError(f"it is nested deeper than {DEEPEST}: that is no report")


class _Walker:
    """Where the walk is: the objects and lists that are open."""

    def __init__(self, events: Iterator[Event], root: Node, wanted: frozenset[str], *, xml: bool, tail: bool) -> None:
        self.events = events
        self._root, self._wanted, self._xml, self._tail = root, wanted, xml, tail
        self._frames: list[_Frame] = []
        self._roots = 0

    def step(self, kind: str, value: Any) -> Iterable[Hit | Wrong]:
        if kind == "map_key":
            self._frames[-1].key = value
            return ()
        return self._left(self._frames.pop()) if kind in _ENDS else self._value(kind, value)

    def _left(self, frame: _Frame) -> Iterator[Wrong]:
        if missing := sorted(frame.node.required - frame.seen):
            yield self._wrong(frame.scopes, f"has no `{missing[0]}`", self._frames)
        if frame.listed and frame.index < 0 and "+" in frame.node.flags:
            yield self._wrong(frame.scopes, "is empty: nothing was scanned", self._frames)

    def _value(self, kind: str, value: Any) -> Iterator[Hit | Wrong]:
        node = self._entered()
        if node and self._xml and _NO_KEY in node.children:
            node = node.children[_NO_KEY]
        if node is None:
            if kind in _EMPTY:
                self._pass_over(kind)
            if self._frames and "!" in self._frames[-1].node.flags:
                yield self._wrong((), f"has `{one_line(self._frames[-1].key)[:80]}`", [])
            return
        scopes = self._inner(node)
        if not self._wanted.isdisjoint(node.purposes):
            yield self._hit(node, scopes, _build(self.events, kind, value))
        elif kind == "null" and (set(node.flags) & {"?", "~"}):
            return
        elif kind == ("start_array" if _NO_KEY in node.children else "start_map") and node.children:
            self._frames.append(_Frame(node, scopes, listed=kind == "start_array"))
        else:
            yield from self._unwanted(node, scopes, kind, value)

    def _pass_over(self, kind: str) -> None:
        if self._frames or kind != "start_map":
            return _skip(self.events)
        # What a tool writes behind its report has no lists of records: else it is a second report.
        key = ""
        for inner, value in self.events:
            if inner in _ENDS:
                return None
            if inner in _EMPTY:
                if inner == "start_array" and key in self._root.children:
                    raise ReportError("a second report follows behind it: have the tool write one, to a new file")
                _skip(self.events)
            key = value if inner == "map_key" else ""
        return None

    def _unwanted(self, node: Node, scopes: Scopes, kind: str, value: Any) -> Iterator[Wrong]:
        """A place that this walk is not for, or one that is of another kind than the patterns say."""
        if kind in _EMPTY:
            _skip(self.events)
        if self._xml and value == "":  # an element without anything
            yield from self._left(_Frame(node, scopes, listed=False))
        elif node.children and not node.purposes:
            what = {"start_map": "an object", "start_array": "a list"}.get(kind, kind)
            yield self._wrong(scopes, f"is {what}, no {'list' if _NO_KEY in node.children else 'object'}", self._frames)

    def _entered(self) -> Node | None:
        if not self._frames:
            self._roots += 1
            if self._roots > 1 and not self._tail:
                raise ReportError(
                    "something follows behind its end: have the tool write one report there, nothing else"
                )
            return self._root if self._roots == 1 else None
        frame = self._frames[-1]
        frame.index += 1
        if frame.key in frame.node.required:
            frame.seen.add(frame.key)
        return frame.node.children[_NO_KEY] if frame.listed else frame.node.at(frame.key)

    def _inner(self, node: Node) -> Scopes:
        if not self._frames:
            return ()
        frame = self._frames[-1]
        return (*frame.scopes, (id(node), frame.index)) if node.name in (_NO_KEY, "*") else frame.scopes

    def _hit(self, node: Node, scopes: Scopes, value: Any) -> Hit:
        keys = tuple(one.key for one in self._frames if not one.listed and one.key not in one.node.children)
        return Hit(node, scopes, tuple((one.key, one.index) for one in self._frames), keys, value)

    def _wrong(self, scopes: Scopes, words: str, frames: list[_Frame]) -> Wrong:
        return Wrong(not scopes, where_of([(one.key, one.index) for one in frames]), words)
