"""The catalog of an account and Region as it is seen: Glue's tables, and Lake Formation's grants, tags and filters.

Lake Formation answers a role that is not its administrator with what that role may see, and does not say that there is
more. Nobody may take that for everything: the role has to be an administrator, or one that only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.clock import stamp
from lambdas.lake.model.governance.desired import is_our_filter
from lambdas.lake.model.governance.grants import Filter, Grant, canonical, identity
from lambdas.lake.model.governance.observation import Observation, Place, Table
from lambdas.lake.model.governance.policy import EVERYBODY
from lambdas.lake.model.governance.tags import class_key, is_our_key
from lambdas.lake.store.patience import Patience

_PAGE, _TAGGED_PAGE, _VALUES = 1000, 100, 50
# Of one database: it may be gone by now, or be closed to us. Whatever else fails, fails the whole look.
_UNSEEN = ("AccessDeniedException", "EntityNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Reads the catalog of an account; `reader` is the ARN of the role that it is read with.

    `prefix` is what our tags and filters begin with, and `spelling` has the ARNs of the file's principals by identity.
    """

    glue: Any
    lakeformation: Any
    catalog: str
    region: str
    reader: str
    prefix: str
    spelling: Mapping[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)

    def observe(self) -> Observation:
        """Look at everything; what cannot be looked at is told in the observation, or raises."""
        unseen = self._not_administrator()
        names = [it["Name"] for it in self._glue("databases", {}) if "TargetDatabase" not in it]
        tables: list[Table] = []
        for name in names:
            try:
                its = self._glue("tables", {"DatabaseName": name})
                tables += [_table(it) for it in its if "TargetTable" not in it]
            except ClientError as error:
                if code_of(error) not in _UNSEEN:
                    raise
                unseen.append(f"the tables of {name} could not be read ({code_of(error)})")
        values = self.tag_values()
        return Observation(
            catalog=self.catalog,
            region=self.region,
            databases=tuple(sorted(names)),
            tables=tuple(sorted(tables, key=lambda it: (it.database, it.name))),
            grants=self.grants(),
            tags=self.tags(values),
            tag_values=values,
            filters=frozenset(self.filters()),
            unseen=tuple(unseen),
            open_defaults=tuple(self._open_defaults()),
        )

    def grants(self) -> frozenset[Grant]:
        """All grants of kinds that the file may speak of."""
        return canonical(
            self._pages(self.lakeformation.list_permissions, "PrincipalResourcePermissions", _PAGE),
            catalog=self.catalog,
            spelling=self.spelling,
        )

    def tag_values(self) -> dict[str, frozenset[str]]:
        """The values of each key of ours."""
        listed = self._pages(self.lakeformation.list_lf_tags, "LFTags", _PAGE)
        ours = (it for it in listed if is_our_key(it["TagKey"], prefix=self.prefix))
        return {it["TagKey"]: frozenset(it["TagValues"]) for it in ours}

    def tags(self, values: Mapping[str, frozenset[str]]) -> dict[Place, dict[str, str]]:
        """Our tags where they were put: whatever bears one bears a class, or is a database that was selected."""
        found: dict[Place, dict[str, str]] = {}
        for key, its in values.items():
            some = sorted(its)
            for first in range(0, len(some), _VALUES):
                expression = [{"TagKey": key, "TagValues": some[first : first + _VALUES]}]
                for database in self._search("databases", "DatabaseList", expression):
                    found[(database["Database"]["Name"], "", "")] = self._ours(database.get("LFTags"))
                for table in self._search("tables", "TableList", expression) if key == class_key(self.prefix) else ():
                    found |= self._tagged(table)
        return {place: its for place, its in found.items() if its}

    def filters(self) -> Iterator[Filter]:
        """The data cells filters that are ours."""
        for it in self._pages(self.lakeformation.list_data_cells_filter, "DataCellsFilters", _PAGE, whose=False):
            if is_our_filter(it["Name"], prefix=self.prefix):
                yield Filter(
                    database=it["DatabaseName"],
                    table=it["TableName"],
                    name=it["Name"],
                    columns=tuple(sorted(it.get("ColumnNames", ()))),
                    rows=it.get("RowFilter", {}).get("FilterExpression", ""),
                )

    def _settings(self) -> Mapping[str, Any]:
        ask = lambda: self.lakeformation.get_data_lake_settings(CatalogId=self.catalog)  # noqa: E731
        settings: Mapping[str, Any] = self.patience.call(ask)["DataLakeSettings"]
        return settings

    def _not_administrator(self) -> list[str]:
        settings = self._settings()
        admins = chain(settings.get("DataLakeAdmins") or (), settings.get("ReadOnlyAdmins") or ())
        if identity(self.reader) in {identity(it["DataLakePrincipalIdentifier"]) for it in admins}:
            return []
        return [
            f"{self.reader} is no administrator of the data lake, so that Lake Formation hides from it what it may not "
            "see: make it a read-only administrator"
        ]

    def _open_defaults(self) -> Iterator[str]:
        settings = self._settings()
        for what in ("Database", "Table"):
            entries = settings.get(f"Create{what}DefaultPermissions") or ()
            if any(it["Principal"]["DataLakePrincipalIdentifier"] == EVERYBODY for it in entries):
                yield f"{what.lower()}s"

    def _tagged(self, table: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, str]]]:
        """What was put on a table and its columns; Lake Formation tells what is inherited, too."""
        database, name = table["Table"]["DatabaseName"], table["Table"]["Name"]
        above, own = self._ours(table.get("LFTagOnDatabase")), self._ours(table.get("LFTagsOnTable"))
        yield (database, name, ""), {key: value for key, value in own.items() if above.get(key) != value}
        for column in table.get("LFTagsOnColumns") or ():
            its = self._ours(column.get("LFTags"))
            inherited = {**above, **own}
            yield (
                (database, name, column["Name"]),
                {key: value for key, value in its.items() if inherited.get(key) != value},
            )

    def _ours(self, pairs: Any) -> dict[str, str]:
        ours = (it for it in pairs or () if is_our_key(it["TagKey"], prefix=self.prefix))
        return {it["TagKey"]: it["TagValues"][0] for it in ours}

    def _search(self, what: str, key: str, expression: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        search: Callable[..., Any] = getattr(self.lakeformation, f"search_{what}_by_lf_tags")
        return self._pages(lambda **more: search(Expression=expression, **more), key, _TAGGED_PAGE)

    def _glue(self, what: str, request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        ask: Callable[..., Any] = getattr(self.glue, f"get_{what}")
        key = {"databases": "DatabaseList", "tables": "TableList"}[what]
        return self._pages(lambda **more: ask(**request, **more), key, _TAGGED_PAGE)

    def _pages(
        self, ask: Callable[..., Any], key: str, size: int, *, whose: bool = True
    ) -> Iterator[Mapping[str, Any]]:
        """Every entry of every page; a page without entries is not the last one."""
        request: dict[str, Any] = {"MaxResults": size, **({"CatalogId": self.catalog} if whose else {})}
        while True:
            page = self.patience.call(lambda: ask(**request))
            yield from page.get(key) or ()
            if not (token := page.get("NextToken")):
                return
            request["NextToken"] = token


def _table(it: Mapping[str, Any]) -> Table:
    columns = [*(it.get("StorageDescriptor") or {}).get("Columns", ()), *it.get("PartitionKeys", ())]
    created = it.get("CreateTime")
    return Table(
        database=it["DatabaseName"],
        name=it["Name"],
        columns=tuple(dict.fromkeys(column["Name"] for column in columns)),
        created=stamp(created) if created else "",
    )
