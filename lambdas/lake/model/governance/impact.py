"""Who gains and loses which column by a plan, and what of that a person has to approve; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lambdas.lake.model.governance.access import MAY_HAND_ON, Access, Words, access, spoken
from lambdas.lake.model.governance.desired import Classes, Desired, arns
from lambdas.lake.model.governance.grants import Grant
from lambdas.lake.model.governance.observation import Observation, Place, Tags
from lambdas.lake.model.governance.plan import Change
from lambdas.lake.model.governance.policy import EVERYBODY, Policy

_NOTHING: Words = frozenset()


@dataclass(frozen=True, kw_only=True)
class Impact:
    """The effect of a plan, and what of it is to be approved."""

    changes: tuple[Change, ...]
    approvals: tuple[str, ...]


def impact(
    policy: Policy,
    seen: Observation,
    after: frozenset[Grant],
    wanted: Desired,
    *,
    partition: str,
    last_tables: int,
) -> Impact:
    """Compare the rights that there are with those after a plan that leaves the grants `after`."""
    tags = wanted.tags if seen.complete else overlaid(seen.tags, wanted.tags)
    filters = wanted.filters if seen.complete else wanted.filters | seen.filters
    then = replace(seen, grants=after, tags=tags, filters=filters)
    differing = _differing(seen, then)
    old, new = (_access(look, differing) if differing else {} for look in (seen, then))
    told = _Comparison(policy, seen, wanted.classes, _personas(policy, seen.catalog, partition))
    for key in old | new:
        before, after_it = old.get(key, _NOTHING), new.get(key, _NOTHING)
        if before != after_it:
            told.differs(key, before, after_it)
    return Impact(changes=told.changes(), approvals=tuple(told.approvals(last_tables)))


def _differing(seen: Observation, then: Observation) -> set[tuple[str, str]]:
    """Databases and tables of what differs: without a table, or with `*`, all of a database; without either, all."""
    places = seen.tags.keys() | then.tags.keys()
    found = {place[:2] for place in places if seen.tags.get(place) != then.tags.get(place)}
    found |= {(one.database, one.table) for one in seen.filters ^ then.filters}
    return found | {(one.database, one.table) for one in seen.grants ^ then.grants}


def _access(look: Observation, differing: set[tuple[str, str]]) -> Access:
    """The rights on tables where something differs: there may be few of them, and hundreds of thousands of grants."""
    tables = [
        one
        for one in look.tables
        if not differing.isdisjoint((("", ""), *((one.database, name) for name in ("", "*", one.name))))
    ]
    names = {(one.database, one.name) for one in tables}
    grants = (one for one in look.grants if one.table in ("", "*") or (one.database, one.table) in names)
    return access(tables, grants, tags=look.tags, filters=look.filters)


def overlaid(there: Tags, put: Tags) -> Tags:
    """Tags after others were put on."""
    found: dict[Place, Mapping[str, str]] = dict(there)
    for place, its in put.items():
        found[place] = {**found.get(place, {}), **its}
    return found


def _personas(policy: Policy, account: str, partition: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for persona in policy.personas:
        for arn in arns(persona.principals, account=account, partition=partition):
            found.setdefault(arn, []).append(persona.name)
    return {arn: ", ".join(names) for arn, names in found.items()}


@dataclass(frozen=True, kw_only=True)
class _Difference:
    gained: str
    lost: str
    losses: int
    pii: tuple[tuple[str, str], ...]


class _Comparison:
    def __init__(self, policy: Policy, seen: Observation, classes: Classes, personas: Mapping[str, str]) -> None:
        self._policy, self._seen, self._personas, self._classes = policy, seen, personas, classes
        self._columns = {(one.database, one.name): one.columns for one in seen.tables}
        self._grouped: dict[tuple[str, str, str, str], list[str]] = {}
        self._known: dict[tuple[str, str, Words, Words], _Difference] = {}
        self._pii: dict[tuple[str, str], list[str]] = {}
        self._losers: set[str] = set()
        self._lost = 0

    def differs(self, key: tuple[str, str, str], before: Words, then: Words) -> None:
        who, database, table = key
        # Hundreds of principals have few rights that differ.
        known = (database, table, before, then)
        difference = self._known.get(known) or self._known.setdefault(known, self._difference(*known))
        self._grouped.setdefault((who, database, difference.gained, difference.lost), []).append(table)
        if difference.losses:
            self._losers.add(who)
            self._lost += difference.losses
        for name, column in difference.pii:
            self._pii.setdefault((who, name), []).append(f"{database}.{table}.{column}")

    def _difference(self, database: str, table: str, before: Words, then: Words) -> _Difference:
        gained, lost = then - before, before - then
        columns, classes = self._columns.get((database, table), ()), self._classes.get((database, table), {})
        # Who may hand on what was read before gains it as well, for everybody else.
        words = then if MAY_HAND_ON in gained else gained
        read = [it for it in sorted(classes) if it in words or any(word.startswith(f"{it} where ") for word in words)]
        return _Difference(
            gained=spoken(gained, columns),
            lost=spoken(lost, columns),
            losses=len(lost),
            pii=tuple((name, column) for column in read for name in classes[column]),
        )

    def changes(self) -> tuple[Change, ...]:
        return tuple(
            Change(
                principal=who,
                persona=self._personas.get(who, ""),
                database=database,
                tables=tuple(sorted(filter(None, tables))),
                gained=gained,
                lost=lost,
            )
            for (who, database, gained, lost), tables in sorted(self._grouped.items())
        )

    def approvals(self, last_tables: int) -> Iterator[str]:
        demanded = self._policy.approval
        for (who, name), columns in sorted(self._pii.items()) if demanded.pii_gains else ():
            more = f" and {len(columns) - 1} more columns" if len(columns) > 1 else ""
            yield f"{self._called(who)} gains personal data of class {name}: {columns[0]}{more}"
        if demanded.revokes and self._losers:
            yield f"{len(self._losers)} principals lose {self._lost} rights, such as {self._called(min(self._losers))}"
        limit = demanded.shrinkage_percent
        if self._lost and self._lost * 100 > (total := self._rights()) * limit:
            yield f"{self._lost} of {total} rights are taken away: more than {limit} percent"
        tables = len(self._seen.tables)
        if last_tables and (last_tables - tables) * 100 > last_tables * limit:
            yield f"the catalog has {tables} tables, and had {last_tables}: more than {limit} percent are gone"

    def _rights(self) -> int:
        """How many rights there are on all tables, those where nothing differs, too."""
        seen = self._seen
        return sum(map(len, access(seen.tables, seen.grants, tags=seen.tags, filters=seen.filters).values()))

    def _called(self, who: str) -> str:
        if who == EVERYBODY:
            return "everybody whom IAM lets in"
        return f"{who} ({self._personas[who]})" if who in self._personas else who
