"""What the permissions of 10,000 tables for 20 personas take: grants, calls, time, and memory of a fresh process.

`python -m tests.bench.permissions NUMBER [by name]` is that process: it looks at such a catalog, plans, applies the
plan, plans again, and plans for one table more; a catalog that only counts answers. It prints what it took as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from tempfile import TemporaryFile
from time import process_time
from typing import Any

from lambdas.lake.model.governance.grants import Grant, closed, entries, merged
from lambdas.lake.model.governance.observation import Observation, Table
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.planning import Planned, make_plan
from lambdas.lake.model.governance.policy import Persona, PiiClass, Policy, Record, Rule
from lambdas.lake.model.governance.tags import class_key
from lambdas.lake.store.catalog import Catalog
from lambdas.lake.store.changes import Changes
from lambdas.lake.store.uncollected import uncollected
from tests.bench.figures import Figure, Section, at_most, exactly
from tests.bench.measure import Sample, fresh, peak_megabytes

TABLES, PERSONAS, PER_DATABASE, COLUMNS = 10_000, 20, 100, 20
SECONDS_LIMIT, MEGABYTES_LIMIT = 30.0, 500.0
SECONDS_A_GRANT = 2  # of the best-known tool
BY_NAME, _SLOW_ROUNDS = "by name", 3
ACCOUNT = "222222222222"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
CLASSES = ("contact", "location", "health", "payment")
_DAY, _PAGE = "2026-11-28", 1000


def measure(rounds: int) -> Section:
    """Plan and apply in processes of their own: by tags, and where nothing is granted by tags."""
    by_tags = _figures("by tags", [fresh("tests.bench.permissions", str(TABLES)) for _ in range(rounds)])
    slow = range(min(rounds, _SLOW_ROUNDS))
    by_name = _figures(BY_NAME, [fresh("tests.bench.permissions", str(TABLES), BY_NAME) for _ in slow])
    return Section(title=f"Permissions of {TABLES:,} tables for {PERSONAS} personas", figures=(*by_tags, *by_name))


def _figures(way: str, taken: Sequence[Mapping[str, float]]) -> Iterator[Figure]:
    told, each, end = taken[0], TABLES * PERSONAS, f", {way}"
    how = f"{len(taken)} fresh processes, {TABLES:,} tables of {COLUMNS} columns, {PERSONAS} personas; processor time"
    for name, key in (("First plan", "first"), ("Plan for no change", "none"), ("Plan for one table more", "one")):
        seconds = Sample(values=tuple(it[key] for it in taken))
        yield at_most(name + end, seconds.median, limit=SECONDS_LIMIT, shown=seconds.show(), unit=" s", how=how)
    memory, before = (Sample(values=tuple(it[name] for it in taken)) for name in ("peak", "before"))
    yield at_most(
        f"Peak memory of the process{end}",
        max(memory.values),
        limit=MEGABYTES_LIMIT,
        shown=memory.show(" MB", 0),
        unit=" MB",
        how=f"resident, highest of the rounds counts, all three plans; {before.median:.0f} MB after the imports",
    )
    beside = f"beside {each:,} of one resource a table and persona"
    grants = at_most(f"Grants{end}", told["grants"], limit=each / 100, shown=f"{told['grants']:,}", how=beside)
    yield grants if way != BY_NAME else replace(grants, target="", met=None)
    hours = each * SECONDS_A_GRANT / 3600
    yield Figure(
        name=f"Calls that write, first plan{end}",
        value=f"{told['first_writes']:,}",
        how="tags on columns one by one, grants 20 a call, 8 calls at a time; "
        f"the best-known tool takes {hours:.0f} h for {each:,} grants, at {SECONDS_A_GRANT} s each",
    )
    reads = f"{told['reads']:,} calls read"
    yield exactly(f"Calls that write, no change{end}", told["none_writes"], wanted=0, how=reads)
    more = "beside a grant a persona"
    yield at_most(f"Calls that write, one table more{end}", told["one_writes"], limit=PERSONAS, how=more)


def policy() -> Policy:
    """Twenty personas that read all tables, each for a record of its own or for none, and four that keep them."""
    records = tuple(
        Record(
            name=f"record-{number}",
            classes=CLASSES[:number],
            purpose="measuring",
            legal_basis="contract",
            recipients=("the benchmark",),
            retention="none",
            owner="bench@example.com",
            valid_until="2027-12-31",
        )
        for number in range(1, len(CLASSES) + 1)
    )
    personas: list[Persona] = []
    for number in range(PERSONAS):
        record = f"record-{number % 5}" if number % 5 else ""
        rules = [Rule(databases=("*",), tables=("*",), permissions=("SELECT",), record=record)]
        if number % 5 == 0:
            rules.append(Rule(databases=("*",), tables=("*",), permissions=("INSERT", "ALTER")))
        roles: dict[str, tuple[str, ...]] = {ACCOUNT: (f"role/persona-{number}",)}
        personas.append(Persona(name=f"persona-{number}", principals=roles, rules=tuple(rules)))
    classes = tuple(PiiClass(name=it, columns=(f"*.*.{it}_*",)) for it in CLASSES)
    return Policy(prefix="granary", personas=tuple(personas), classes=classes, records=records)


def table(number: int) -> Table:
    """A table; every third one has personal data."""
    private = tuple(f"{it}_{number % 7}" for it in CLASSES) if number % 3 == 0 else ()
    plain = tuple(f"column_{number % 50}_{it}" for it in range(COLUMNS - len(private)))
    return Table(database=f"database_{number // PER_DATABASE:03}", name=f"table_{number:05}", columns=plain + private)


@dataclass
class Counting:
    """A catalog that has what it was given, and only counts what is written to it."""

    there: Observation
    reads: int = 0
    writes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Write the pages of grants as they come over the wire: a page is no longer in memory than it is looked at."""
        self.wire, self.offsets = TemporaryFile(), list[int]()  # noqa: SIM115 - it goes with this
        granted = iter(closed(self.there.grants))  # DESCRIBE is listed beside SELECT
        while some := list(islice(granted, _PAGE)):
            self.offsets.append(self.wire.tell())
            listed = [entry for entry, _ in entries(some, catalog=ACCOUNT)]
            self.wire.write(json.dumps({"PrincipalResourcePermissions": listed}).encode() + b"\n")

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """Count a call that writes."""

        def call(**_: Any) -> dict[str, Any]:
            self.writes[name] += 1
            return {}

        return call

    def get_data_lake_settings(self, **_: Any) -> dict[str, Any]:
        self.reads += 1
        return {"DataLakeSettings": {"DataLakeAdmins": [{"DataLakePrincipalIdentifier": READER}]}}

    def get_databases(self, **request: Any) -> dict[str, Any]:
        return self._page("DatabaseList", [{"Name": it} for it in self.there.databases], request)

    def get_tables(self, *, DatabaseName: str, **request: Any) -> dict[str, Any]:
        its = [it for it in self.there.tables if it.database == DatabaseName]
        told = [
            {
                "DatabaseName": DatabaseName,
                "Name": it.name,
                "StorageDescriptor": {"Columns": [{"Name": name} for name in it.columns]},
            }
            for it in its
        ]
        return self._page("TableList", told, request)

    def list_permissions(self, **request: Any) -> dict[str, Any]:
        assert request["MaxResults"] == _PAGE
        self.reads += 1
        number = int(request.get("NextToken", 0))
        if not self.offsets:
            return {}
        self.wire.seek(self.offsets[number])
        page: dict[str, Any] = json.loads(self.wire.readline())
        return {**page, **({"NextToken": str(number + 1)} if number + 1 < len(self.offsets) else {})}

    def list_lf_tags(self, **request: Any) -> dict[str, Any]:
        listed = [{"TagKey": key, "TagValues": sorted(its)} for key, its in self.there.tag_values.items()]
        return self._page("LFTags", listed, request)

    def list_data_cells_filter(self, **request: Any) -> dict[str, Any]:
        return self._page("DataCellsFilters", [], request)

    def search_databases_by_lf_tags(self, *, Expression: Sequence[Any], **request: Any) -> dict[str, Any]:
        its = [] if Expression[0]["TagKey"] == class_key("granary") else self.there.databases
        listed = [{"Database": {"Name": it}, "LFTags": self._pairs(it)} for it in its]
        return self._page("DatabaseList", listed, request)

    def search_tables_by_lf_tags(self, **request: Any) -> dict[str, Any]:
        request.pop("Expression")
        first = int(request.get("NextToken", 0))
        tagged = (it for it in self.there.tables if (it.database, it.name, it.columns[0]) in self.there.tags)
        some = list(islice(tagged, first, first + request["MaxResults"] + 1))
        listed = [self._tagged(it) for it in some[: request["MaxResults"]]]
        self.reads += 1
        more = {"NextToken": str(first + len(listed))} if len(some) > len(listed) else {}
        return {"TableList": listed, **more}

    def _tagged(self, one: Table) -> dict[str, Any]:
        place = (one.database, one.name)
        return {
            "Table": {"DatabaseName": one.database, "Name": one.name},
            "LFTagOnDatabase": self._pairs(one.database),
            "LFTagsOnTable": self._pairs(one.database),
            "LFTagsOnColumns": [
                {"Name": it, "LFTags": self._pairs(one.database) + self._pairs(*place, it)} for it in one.columns
            ],
        }

    def _pairs(self, database: str, name: str = "", column: str = "") -> list[dict[str, Any]]:
        its: Mapping[str, str] = self.there.tags.get((database, name, column), {})
        return [{"TagKey": key, "TagValues": [value]} for key, value in its.items()]

    def _page(self, key: str, listed: Sequence[Any], request: Mapping[str, Any]) -> dict[str, Any]:
        self.reads += 1
        first = int(request.get("NextToken", 0))
        after = first + request["MaxResults"]
        return {key: listed[first:after], **({"NextToken": str(after)} if after < len(listed) else {})}


def main(arguments: Sequence[str]) -> None:
    """Plan and apply once, and print what it took."""
    before = peak_megabytes()
    tables = tuple(map(table, range(int(arguments[0]))))
    databases = tuple(sorted({it.database for it in tables}))
    empty = Observation(catalog=ACCOUNT, region="eu-west-1", databases=databases, tables=tables)
    file, told = replace(policy(), use_tags=BY_NAME not in arguments), dict[str, float]()
    there, ours = empty, frozenset[Grant]()
    for name, more in (("first", ()), ("none", ()), ("one", (replace(tables[0], name="table_new"),))):
        there = replace(there, tables=(*there.tables, *more))
        lake = Counting(there)
        seconds, planned = _timed(partial(_planned, file, lake, ours))
        Changes(lakeformation=lake, catalog=ACCOUNT).apply(planned.plan)
        told |= {name: seconds, f"{name}_writes": lake.writes.total(), "reads": lake.reads}
        there, ours = _after(planned.plan, there), planned.ours
        assert planned.plan.empty is (name == "none"), planned.plan.lines[:3]
        del planned  # the next run of the function does not have it
    told["grants"] = len(there.grants)
    print(json.dumps({**told, "before": before, "peak": peak_megabytes()}))


@uncollected()
def _planned(file: Policy, lake: Counting, ours: frozenset[Grant]) -> Planned:
    """What the function does, up to the text that it keeps."""
    catalog = Catalog(
        glue=lake, lakeformation=lake, catalog=ACCOUNT, region="eu-west-1", reader=READER, prefix=file.prefix
    )
    planned = make_plan(file, catalog.observe(), ours, partition="aws", today=_DAY)
    assert len(planned.plan.digest) < len(planned.plan.to_json().encode())
    assert not planned.plan.remark
    return planned


def _after(plan: Plan, there: Observation) -> Observation:
    """The catalog with the plan applied."""
    tags = {place: dict(its) for place, its in there.tags.items()}
    for place, key, value in _put(plan):
        tags.setdefault(place, {})[key] = value
    values = {it.key: there.tag_values.get(it.key, frozenset()).union(it.values) for it in plan.values}
    gone = {step.grant for step in plan.revokes}
    grants = merged((*(there.grants - gone), *(step.grant for step in plan.grants)))
    return replace(there, grants=grants, tags=tags, tag_values={**there.tag_values, **values})


def _put(plan: Plan) -> Iterator[tuple[tuple[str, str, str], str, str]]:
    for tagging in plan.tags:
        yield from tagging.places


def _timed(work: Callable[[], Planned]) -> tuple[float, Planned]:
    began = process_time()
    done = work()
    return process_time() - began, done


if __name__ == "__main__":
    main(sys.argv[1:])
