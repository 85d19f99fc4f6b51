"""What a job needs of the zones and their catalog, whether in AWS or in a folder of a laptop; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Protocol

from lambdas.lake.model.datasets import PARTITION_KEYS

Columns = tuple[tuple[str, str], ...]
Values = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Partition:
    """The rows of an object version in a table: where they are, and what is said of them."""

    values: Values
    location: str
    columns: Columns
    parameters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A table, and the root of the zone that its files are in."""

    root: str
    database: str
    table: str

    @property
    def location(self) -> str:
        """Where the files of the table are."""
        return f"{self.root}/{self.database}/{self.table}"

    def object_folder(self, values: Values) -> str:
        """Where all attempts of an object version write."""
        keys = (f"{key}={value}" for key, value in zip(PARTITION_KEYS, values, strict=True))
        return "/".join((self.location, *keys))

    def folder(self, values: Values, attempt: str) -> str:
        """Where an attempt writes the rows of an object version."""
        return f"{self.object_folder(values)}/{attempt}"


class Catalog(Protocol):
    """What the commit needs. URIs of folders have no slash at their end."""

    def delete(self, folder: str, *, but: str = "") -> None:
        """Delete the files below a folder, but those below one in it, as far as that is possible now: what is left is
        in nobody's way.
        """

    def ensure_database(self, database: str) -> None:
        """Create a database if it is absent."""

    def columns(self, place: Place) -> Columns | None:
        """Columns of a table, without its partition keys; None if it is absent."""

    def put_columns(self, place: Place, columns: Columns, *, before: Columns | None) -> bool:
        """Create a table, or give it other columns; false if it was not, or is no more, as it was before."""

    def partition(self, place: Place, values: Values) -> Partition | None:
        """A partition of a table; None if it is absent."""

    def add_partition(self, place: Place, partition: Partition) -> None:
        """Create a partition; nothing changes if there is one of these values. This is the commit."""

    def replace_partition(self, place: Place, partition: Partition) -> None:
        """Give the partition of these values another location."""


class Lake(Catalog, Protocol):
    """The zones and their catalog."""

    def root(self, bucket: str) -> str:
        """The URI of a bucket."""

    def open(self, uri: str) -> IO[bytes]:
        """A file's content."""

    def copy(self, bucket: str, key: str, version: str, uri: str) -> None:
        """Copy one version of an object."""
