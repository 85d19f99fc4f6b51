"""Which rights can be granted by tags instead of by name, and the tags for that; pure.

Tags describe data, and grants describe people: each column has its class of personal data (`none`, too), and each
selection of tables that rules speak of has a key of its own, put on databases where the rules are about all tables. So
another persona, or another record, is one grant, and another table is one or two tags. A selection's key has one value:
nothing is ever retagged while somebody reads it.
https://docs.aws.amazon.com/lake-formation/latest/dg/TBAC-notes.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lambdas.lake.model.governance.access import access
from lambdas.lake.model.governance.desired import Asked, Desired, Named, asked, classes_of
from lambdas.lake.model.governance.grants import Grant, Kind
from lambdas.lake.model.governance.observation import Observation, Place, Tags, by_database
from lambdas.lake.model.governance.policy import SELECT, Policy, matches

NONE, _YES = "none", "yes"
_PER_RESOURCE, _VALUES, _LETTERS, _PER_EXPRESSION = 50, 1000, 50, 50


def desired(policy: Policy, seen: Observation, *, partition: str, today: str) -> Desired:
    """All that should be there: by tags where the rules allow it and both ways come to the same, else by name."""
    look = _Look(policy, seen, today=today)
    rules = asked(policy, catalog=seen.catalog, partition=partition, today=today)
    if not policy.use_tags or not any(map(_taggable, rules)):
        return look.by_name(rules)
    by_tags = look.by_tags(rules)
    if remark := _beyond_limits(by_tags) or look.unequal(rules, by_tags):
        return replace(look.by_name(rules), remark=f"nothing is granted by tags: {remark}")
    return by_tags


def _taggable(one: Asked) -> bool:
    return one.plain and (one.limited or "*" not in one.rule.tables)


class _Look:
    """The rules of a file, looked at over what was seen."""

    def __init__(self, policy: Policy, seen: Observation, *, today: str) -> None:
        self._policy, self._seen, self._today = policy, seen, today
        self._classes = classes_of(policy, seen.tables)
        self._tables = by_database(seen.tables)

    def by_name(self, rules: Iterable[Asked]) -> Desired:
        named = self._named()
        for one in rules:
            named.add(one)
        return self._desired(named, named.all(), {})

    def by_tags(self, rules: Sequence[Asked]) -> Desired:
        named, tags = self._named(), self._tags(one for one in rules if _taggable(one))
        values = sorted({value for (_, _, column), its in tags.items() if column for value in its.values()})
        grants: dict[Grant, str] = {}
        for one in rules:
            named.add(one, by_tags=_taggable(one))
            for grant in _grants(self._policy, one, values) if _taggable(one) else ():
                grants.setdefault(grant, one.why)
        return self._desired(named, {**named.all(), **grants}, tags)

    def unequal(self, rules: Iterable[Asked], by_tags: Desired) -> str:
        """Where a rule would not come to the same by tags as by name: rights add up, so that each is proved alone."""
        values = sorted(tag_values(by_tags).get(class_key(self._policy.prefix), ()))
        alike = {(one.rule, one.covered, one.sees_all): one for one in rules if _taggable(one)}
        for one in (replace(it, principals=("anybody",)) for it in alike.values()):
            named, rest = self._named(), self._named()
            named.add(one)
            rest.add(one, by_tags=True)
            tagged = [*_grants(self._policy, one, values), *rest.all()]
            if access(self._seen.tables, named.all()) != access(self._seen.tables, tagged, tags=by_tags.tags):
                return f"{one.why} would come to something else"
        return ""

    def _named(self) -> Named:
        return Named(self._policy, self._seen, self._classes, today=self._today)

    def _desired(self, named: Named, grants: Mapping[Grant, str], tags: Tags) -> Desired:
        return Desired(
            grants=grants,
            classes=self._classes,
            filters=frozenset(named.filters),
            tags=tags,
            refused=named.refused(),
        )

    def _tags(self, rules: Iterable[Asked]) -> dict[Place, dict[str, str]]:
        """The tags of selections, and the classes on all columns of the tables that are selected."""
        tags: dict[Place, dict[str, str]] = {}
        classed = class_key(self._policy.prefix)
        for key, rule in {_selection_key(self._policy.prefix, one): one.rule for one in rules}.items():
            every = "*" in rule.tables
            for database in (name for name in self._seen.databases if matches(rule.databases, name)):
                if every:
                    tags.setdefault((database, "", ""), {})[key] = _YES
                for table in (it for it in self._tables.get(database, ()) if matches(rule.tables, it.name)):
                    if not every:
                        tags.setdefault((database, table.name, ""), {})[key] = _YES
                    its = self._classes[(database, table.name)]
                    for column in table.columns:
                        tags[(database, table.name, column)] = {classed: "+".join(its.get(column, (NONE,)))}
        return tags


def class_key(prefix: str) -> str:
    """The key with the classes of a column."""
    return f"{prefix}-class"


def is_our_key(key: str, *, prefix: str) -> bool:
    """Whether a key of tags is one of ours: another factory's prefix may begin with this one's."""
    return re.fullmatch(rf"{re.escape(prefix)}-(class|on-[0-9a-f]{{12}})", key) is not None


def _selection_key(prefix: str, one: Asked) -> str:
    told = repr((sorted(one.rule.databases), sorted(one.rule.tables)))
    return f"{prefix}-on-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _grants(policy: Policy, one: Asked, values: Sequence[str]) -> Iterator[Grant]:
    selection = (_selection_key(policy.prefix, one), (_YES,))
    bare = Grant(principal="", kind=Kind.TAGS, permission="")
    if "*" not in one.rule.tables:
        for word in one.whole:
            yield from one.variants(replace(bare, permission=word, expression=(selection,)))
    if one.limited:
        covered = frozenset[str]() if one.rule.exclude_pii else one.covered
        open_to_it = [value for value in values if value == NONE or covered.issuperset(value.split("+"))]
        for first in range(0, len(open_to_it), _PER_EXPRESSION):
            some = tuple(open_to_it[first : first + _PER_EXPRESSION])
            classes: tuple[str, tuple[str, ...]] = (class_key(policy.prefix), some)
            pairs = sorted([selection, classes])
            yield from one.variants(replace(bare, permission=SELECT, expression=tuple(pairs)))


def _beyond_limits(by_tags: Desired) -> str:
    """Why Lake Formation would not take the tags."""
    values: dict[str, set[str]] = {}
    for its in by_tags.tags.values():
        for key, value in its.items():
            values.setdefault(key, set()).add(value)
    if long := [word for key, its in values.items() for word in (key, *its) if len(word) > _LETTERS]:
        return f"{long[0]} has more than {_LETTERS} letters: shorten the names of classes"
    if len(values) > _VALUES or any(len(its) > _VALUES for its in values.values()):
        return f"there would be more than {_VALUES} keys, or values of one: let rules share their patterns"
    inherited = {database: len(its) for (database, table, _), its in by_tags.tags.items() if not table}
    for (database, table, column), its in by_tags.tags.items():
        if table and not column and inherited.get(database, 0) + len(its) + 1 > _PER_RESOURCE:
            return f"{database}.{table} would have more than {_PER_RESOURCE} tags: let rules share their patterns"
    most = max(inherited.values(), default=0) + 1
    return f"a database would have {most} tags, of {_PER_RESOURCE}" if most > _PER_RESOURCE else ""


def tag_values(wanted: Desired) -> Mapping[str, frozenset[str]]:
    """Every value of each key that tags and grants name."""
    values: dict[str, set[str]] = {}
    for its in wanted.tags.values():
        for key, value in its.items():
            values.setdefault(key, set()).add(value)
    for grant in wanted.grants:
        for key, several in grant.expression:
            values.setdefault(key, set()).update(several)
    return {key: frozenset(all_of_it) for key, all_of_it in values.items()}
