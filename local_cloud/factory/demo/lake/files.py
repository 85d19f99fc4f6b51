"""The second act: a file lands and is transformed, bad rows are kept apart; the third: its event comes again."""

from __future__ import annotations

from lambdas.lake.model.objects import AuditRow, Phase
from local_cloud.factory.demo.lake.scene import TABLES, Scene
from local_cloud.factory.lake import PREFIX
from local_cloud.factory.lake_data import FAULTS, trips

GOOD, BAD = 200, dict.fromkeys(FAULTS, 1)


def play(scene: Scene) -> None:
    """Put a file, then have its event delivered twice more."""
    row = _lands(scene)
    _again(scene, row)


def _lands(scene: Scene) -> AuditRow:
    scene.stage.act("A file lands and is transformed")
    key = f"{PREFIX}2021-07.csv"
    with scene.stage.step(f"put {key}: {GOOD} good rows, and a bad one of each kind: {', '.join(FAULTS)}"):
        version = scene.lake.put(key, trips(GOOD, bad=BAD))
    (row,) = scene.settled("trigger, claim, raw to conformed, conformed to purpose-built, audit, notice", version)
    scene.show("What the audit says", [row])
    scene.expect(row, Phase.SUCCEEDED)
    counts = row.read, row.good, row.quarantined
    scene.stage.expect(holds=counts == (GOOD + len(BAD), GOOD, len(BAD)), otherwise=f"the counts are {counts}")
    for table, found in scene.partitions().items():
        scene.stage.console.print(f"  {table}: {found.get(row.id, 'nothing')}", highlight=False, soft_wrap=True)
        scene.stage.expect(holds=[*found] == [row.id], otherwise=f"{table} has the objects {[*found]}")
    scene.runs()
    return row


def _again(scene: Scene, row: AuditRow) -> None:
    scene.stage.act("A duplicate changes nothing")
    before = scene.partitions()
    with scene.stage.step("the same event again, twice in one message, years later"):
        scene.lake.deliver_again(row)
    after = scene.lake.audit.row(row.id)
    scene.stage.expect(holds=after == row, otherwise=f"the audit row has changed: {after}")
    scene.stage.expect(holds=scene.partitions() == before, otherwise="the catalog has changed")
    scene.stage.console.print(f"  audit row and {len(TABLES)} tables are as they were")
