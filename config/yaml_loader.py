"""YAML as people write it: no key is given twice, and no alias makes a small file a huge one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

GIVEN_TWICE = "is given twice"
# Nodes that aliases may stand for, all in all: a file that is meant has a few hundred, a bomb billions.
ALIASES_LIMIT = 100_000


class PlainLoader(yaml.SafeLoader):
    """A safe loader; a plain one silently keeps the last of two keys."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._weights: dict[int, int] = {}
        self._aliased = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        is_alias = self.check_event(yaml.AliasEvent)
        node: Any = super().compose_node(parent, index)
        if not is_alias:
            self._weights[id(node)] = 1 + sum(self._weights[id(child)] for child in _children(node))
            return node
        # An alias within what it names would have no end.
        self._aliased += self._weights.get(id(node), ALIASES_LIMIT + 1)
        if self._aliased > ALIASES_LIMIT:
            problem = "its aliases stand for too much: write out what they name"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} {GIVEN_TWICE}", problem_mark=key.start_mark)
            seen.add(key.value)
        return node


def read_yaml(path: Path) -> Any:
    """What a file holds; raises whatever YAML's constructors trip over."""
    with path.open(encoding="utf-8") as stream:
        data = yaml.load(stream, Loader=PlainLoader)  # noqa: S506 - a safe loader
    if data is None:
        raise ValueError("the file is empty")
    return data


def _children(node: yaml.Node) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
