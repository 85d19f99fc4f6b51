"""What the schemas of datasets declare to be personal data, as patterns of the tables' columns; pure."""

from __future__ import annotations

from collections.abc import Iterable

from lambdas.lake.model.datasets import QUARANTINE_COLUMNS, Column, Dataset
from lambdas.lake.model.names import LakeNames, Zone

# Of the tables of quarantined rows: the row as it was read, whatever is in it.
_ROW = QUARANTINE_COLUMNS[0][0]


def declared_pii(datasets: Iterable[Dataset], *, prefix: str) -> dict[str, set[str]]:
    """Patterns of `database.table.column` by class, in all environments."""
    names = LakeNames(prefix=prefix, environment="*")
    conformed, products = names.database(Zone.CONFORMED), names.database(Zone.PURPOSE_BUILT)
    found: dict[str, set[str]] = {}
    for dataset in datasets:
        _add(found, f"{conformed}.{dataset.table}", dataset.columns)
        for one in filter(None, (column.pii for column in dataset.columns)):
            found[one].add(f"{conformed}.{dataset.quarantine}.{_ROW}")
        for product in dataset.products:
            # Of one that says nothing of its columns, those count that have the names of the dataset's.
            _add(found, f"{products}.{product.name}", product.columns or dataset.columns)
    return found


def _add(found: dict[str, set[str]], table: str, columns: Iterable[Column]) -> None:
    for column in columns:
        if column.pii:
            found.setdefault(column.pii, set()).add(f"{table}.{column.name}")
