"""The commit of an object version: one conditional call makes all of its rows visible, or none; pure.

Each attempt writes into folders of its own, which nobody reads until a partition of the catalog names them. The
partition of the table is created once and never changed, and says where the quarantined rows of the same attempt are:
both are of one attempt, whichever wins and wherever others were killed. A partition of the quarantine is a pointer
that everybody sets to what the committed one says. What a partition may name is never deleted: the files of other
attempts are, killed or late, once there is a partition that names none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lambdas.common.errors import GranaryError
from lambdas.lake.model.commits import CODE, REST
from lambdas.lake.model.datasets import QUARANTINE_COLUMNS
from lambdas.lake.spark.lake import Catalog, Columns, Partition, Place, Values

_TRIES = 5  # at a table that somebody else changes at the same time


def carry_out(
    lake: Catalog,
    place: Place,
    *,
    values: Values,
    columns: Columns,
    attempt: str,
    write: Callable[[str, str], Mapping[str, str]],
    quarantine: Place | None = None,
) -> Partition:
    """Write the rows of an object version and commit them, unless that is done; answers what is committed.

    `write` is given the folders of good and of quarantined rows, and says what the partition says of itself. What it
    has written is deleted if anything fails before the commit; from then on it may be what counts.
    """
    if done := settle(lake, place, values, quarantine=quarantine):
        return done
    good, rest = place.folder(values, attempt), quarantine.folder(values, attempt) if quarantine else ""
    try:
        parameters = write(good, rest)
        prepare(lake, place, columns)
        if quarantine:
            prepare(lake, quarantine, QUARANTINE_COLUMNS)
    except BaseException:
        for folder in filter(None, (good, rest)):
            lake.delete(folder)
        raise
    told = {**parameters, **({REST: rest} if rest else {})}
    partition = Partition(values=values, location=good, columns=columns, parameters=told)
    return commit(lake, place, partition, quarantine=quarantine)


def prepare(lake: Catalog, place: Place, columns: Columns) -> None:
    """Create the table, or add the columns that it lacks.

    Raises:
        GranaryError: a column is of another type, or somebody changes the table all the time.
    """
    lake.ensure_database(place.database)
    for _ in range(_TRIES):
        before = lake.columns(place)
        wanted = grown(before or (), columns, table=place.table)
        if wanted == before or lake.put_columns(place, wanted, before=before):
            return
    raise GranaryError(f"the table {place.database}.{place.table} is being changed by others: run the job again")


def grown(before: Columns, wanted: Columns, *, table: str) -> Columns:
    """The columns of a table, and those that are new after them.

    Raises:
        GranaryError: a column is of another type; the text says what to do.
    """
    types = dict(before)
    if changed := [f"{name} is {types[name]}, not {kind}" for name, kind in wanted if types.get(name, kind) != kind]:
        raise GranaryError(
            f"the table {table} cannot hold these rows: {', '.join(changed)}. What is written stays as it is: give "
            "the column a new name, or the dataset a new table"
        )
    return before + tuple(one for one in wanted if one[0] not in types)


def commit(lake: Catalog, place: Place, partition: Partition, *, quarantine: Place | None = None) -> Partition:
    """Make an attempt the one that counts, and answer the one that does; the files of all others are deleted.

    Raises:
        GranaryError: the partition was removed at the same time.
    """
    if quarantine:
        lake.add_partition(quarantine, _pointer(partition))
    lake.add_partition(place, partition)
    # An answer can be lost and its call be repeated: only what is there tells who was first.
    committed = settle(lake, place, partition.values, quarantine=quarantine)
    if not committed:
        raise GranaryError(f"the partition of {partition.location} was removed at once: run the job again")
    lake.delete(place.object_folder(committed.values), but=committed.location)
    if quarantine:
        lake.delete(quarantine.object_folder(committed.values), but=_pointer(committed).location)
    return committed


def settle(lake: Catalog, place: Place, values: Values, *, quarantine: Place | None = None) -> Partition | None:
    """The committed partition of an object version, if there is one; its quarantined rows are the ones that are seen.

    Every run begins with it: so it finishes what one that was killed after its commit has left.
    """
    committed = lake.partition(place, values)
    if committed and CODE not in committed.parameters:
        raise GranaryError(
            f"the partition {committed.location} of {place.database}.{place.table} was made by somebody else, a "
            "crawler perhaps: remove it from the catalog, and run the job again"
        )
    if committed and quarantine:
        wanted = _pointer(committed)
        there = lake.partition(quarantine, values)
        if not there:
            lake.add_partition(quarantine, wanted)
        elif there.location != wanted.location:
            lake.replace_partition(quarantine, wanted)
    return committed


def _pointer(partition: Partition) -> Partition:
    """The partition of the quarantine that belongs to one of the table."""
    return Partition(
        values=partition.values,
        location=partition.parameters[REST],
        columns=QUARANTINE_COLUMNS,
        parameters={key: value for key, value in partition.parameters.items() if key != REST},
    )
