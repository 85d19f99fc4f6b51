"""Tables of a lake that no Spark has made: a parquet file with the same rows behind each."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from lambdas.lake.model.names import Zone
from local_cloud.athena import program
from local_cloud.factory.granary import HOME, WORKLOAD
from local_cloud.factory.lake import LAKE, Lake

COLUMNS = {"vendor_id": "int", "pickup_location_id": "int", "fare_amount": "double", "trips": "bigint"}
_ROWS = "(values (1, 74, 5.5::double, 2), (6, 75, 7.25, 3)) as rows(vendor_id, pickup_location_id, fare_amount, trips)"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"


def make_table(
    lake: Lake, zone: Zone, name: str, columns: Sequence[str] = tuple(COLUMNS), *, open_: bool = False
) -> None:
    """Make a table as the account's root; an open one is everybody's whom IAM lets in, as of before Lake Formation."""
    bucket, database = LAKE.bucket(zone, WORKLOAD, HOME), LAKE.database(zone)
    lake.client("s3").put_object(Bucket=bucket, Key=f"{database}/{name}/1.parquet", Body=_parquet())
    storage = {
        "Columns": [{"Name": one, "Type": COLUMNS[one]} for one in columns],
        "InputFormat": _PARQUET,
        "Location": f"s3://{bucket}/{database}/{name}/",
    }
    lake.client("glue").create_table(DatabaseName=database, TableInput={"Name": name, "StorageDescriptor": storage})
    if open_:
        grant(lake, "IAM_ALLOWED_PRINCIPALS", zone, name, "ALL")


def make_anew(lake: Lake, zone: Zone, name: str, columns: Sequence[str] = tuple(COLUMNS)) -> None:
    """Drop a table, and make it again: what was granted on it is gone."""
    lake.client("glue").delete_table(DatabaseName=LAKE.database(zone), Name=name)
    make_table(lake, zone, name, columns)


def grant(lake: Lake, principal: str, zone: Zone, table: str, permission: str) -> None:
    """Grant by hand, as the account's root."""
    lake.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": principal},
        Resource={"Table": {"DatabaseName": LAKE.database(zone), "Name": table}},
        Permissions=[permission],
    )


@cache
def _parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "rows.parquet")
        script = f"import duckdb; duckdb.sql(\"copy (select * from {_ROWS}) to '{target}'\")"  # noqa: S608
        subprocess.run([str(program.python()), "-c", script], check=True)
        return target.read_bytes()
