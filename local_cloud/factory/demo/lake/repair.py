"""The fourth act: a file that does not fit leaves its reason and no row; the schema is mended, and it is run again."""

from __future__ import annotations

from lambdas.lake.model.objects import AuditRow, ObjectVersion, Phase
from local_cloud.factory.demo.lake.scene import Scene
from local_cloud.factory.lake import PREFIX, wait_for
from local_cloud.factory.lake_data import trips

_ROWS = 50
_SCHEMA = "config/datasets/green_trips/schema.yaml"


def play(scene: Scene) -> None:
    """Put a file with a column that nobody knows, mend the schema, and run the file again."""
    row = _fails(scene)
    _mended(scene, row)


def _fails(scene: Scene) -> AuditRow:
    scene.stage.act("A file that does not fit leaves its reason")
    key = f"{PREFIX}2021-08.csv"
    header, *lines = trips(_ROWS, seed=1).splitlines()
    body = b"\n".join((header + b",weather", *(line + b",rain" for line in lines), b""))
    with scene.stage.step(f"put {key}, which has a column that the schema does not know"):
        version = scene.lake.put(key, body)
    (row,) = scene.settled("its run ends", version)
    scene.show("What the audit says", [row])
    scene.expect(row, Phase.FAILED)
    scene.stage.expect(holds="weather" in row.reason, otherwise=f"the reason is another one: {row.reason}")
    _expect_rows(scene, row, there=False)
    scene.runs("--phase", "FAILED")
    return row


def _mended(scene: Scene, row: AuditRow) -> None:
    scene.stage.act("The schema is mended, and the file is run again")
    workspace = scene.lake.granary.workspace
    with scene.stage.step("commit `ignore_extra_columns: true`, and push it; the lake's pipelines deploy it"):
        workspace.replace(_SCHEMA, "ignore_extra_columns: false", "ignore_extra_columns: true")
        workspace.commit("Columns that nobody knows are left alone")
        version = scene.lake.push_here()
        wait_for(lambda: scene.deployed_version(version), "the lake's pipelines to deploy it")
    scene.runs("--again", row.id)
    thing = ObjectVersion(bucket=row.bucket, key=row.key, version=row.version)
    (after,) = scene.settled("the same version of the file is loaded", thing)
    scene.show("What the audit says", [after])
    scene.expect(after, Phase.SUCCEEDED)
    counts = after.attempt, after.read, after.good
    scene.stage.expect(holds=counts == (2, _ROWS, _ROWS), otherwise=f"attempt, read and good are {counts}")
    _expect_rows(scene, row, there=True)
    scene.runs()


def _expect_rows(scene: Scene, row: AuditRow, *, there: bool) -> None:
    """Note a problem unless the object is in the tables of rows, or in none."""
    found = [table for table, its in scene.partitions().items() if row.id in its and not table.endswith("quarantine")]
    scene.stage.expect(holds=bool(found) == there, otherwise=f"{row.key} is in {found or 'no table'}")
