"""Policies as sets of grants, an action on a pattern of resources each: taken apart, compared, put together; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

Statement = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, order=True)
class Grant:
    """An action that is allowed on a pattern of resources; each of `condition` is (operator, key, value)."""

    action: str
    resource: str
    condition: tuple[tuple[str, str, str], ...] = ()

    def covers(self, other: Grant) -> bool:
        """Whether whatever the other allows, this allows."""
        return (
            self.action == other.action
            and fnmatchcase(other.resource, self.resource)
            and set(self.condition) <= set(other.condition)
        )


def grants_of(statements: Iterable[Statement]) -> set[Grant]:
    """Statements of kind Allow, taken apart.

    A condition with several values becomes a grant for each: that says the same of keys that have one value.
    """
    return {
        Grant(action=action, resource=resource, condition=condition)
        for statement in statements
        for condition in _conditions(statement.get("Condition", {}))
        for action, resource in product(_list(statement["Action"]), _list(statement["Resource"]))
    }


def _conditions(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str, str], ...]]:
    tests = [(operator, key, _list(found)) for operator, keys in condition.items() for key, found in keys.items()]
    for chosen in product(*(found for _, _, found in tests)):
        yield tuple(sorted((operator, key, value) for (operator, key, _), value in zip(tests, chosen, strict=True)))


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def uncovered(wanted: Collection[Grant], given: Collection[Grant]) -> list[Grant]:
    """What of the wanted the given do not allow, sorted."""
    by_action = defaultdict(list)
    for one in given:
        by_action[one.action].append(one)
    return sorted(one for one in wanted if not any(other.covers(one) for other in by_action[one.action]))


def statements_of(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Few statements that allow what the grants do, each of one service; the same grants make the same statements."""
    # What differs in the value of its one condition only is one grant with several values.
    tests: dict[tuple[str, str, tuple[tuple[str, str], ...]], set[tuple[str, ...]]] = defaultdict(set)
    for one in grants:
        keys = tuple((operator, key) for operator, key, _ in one.condition)
        tests[one.action, one.resource, keys].add(tuple(value for _, _, value in one.condition))
    conditioned: dict[tuple[str, Any], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (action, resource, keys), found in tests.items():
        for chosen in [sorted(found)] if len(keys) == 1 else [[one] for one in sorted(found)]:
            condition = tuple(
                (operator, key, tuple(one[number] for one in chosen)) for number, (operator, key) in enumerate(keys)
            )
            conditioned[action.partition(":")[0], condition][action].add(resource)
    made = [
        (service, condition, resources, sorted(actions))
        for (service, condition), of in conditioned.items()
        for resources, actions in _together(of).items()
    ]
    counts: dict[str, int] = defaultdict(int)
    return [_statement(*one, counts) for one in sorted(made)]


def _together(resources_of: Mapping[str, set[str]]) -> dict[tuple[str, ...], list[str]]:
    found = defaultdict(list)
    for action, resources in resources_of.items():
        found[tuple(sorted(resources))].append(action)
    return found


def _statement(
    service: str, condition: Any, resources: tuple[str, ...], actions: list[str], counts: dict[str, int]
) -> dict[str, Any]:
    counts[service] += 1
    made: dict[str, Any] = {
        "Sid": f"{service.title().replace('-', '')}{counts[service]}",
        "Effect": "Allow",
        "Action": actions,
        "Resource": list(resources),
    }
    tests: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for operator, key, found in condition:
        tests[operator][key] = list(found)
    return made | ({"Condition": dict(tests)} if tests else {})
