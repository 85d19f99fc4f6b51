"""The last acts: a query for personal data is refused until there is a record for it; a table is made again."""

from __future__ import annotations

from lambdas.lake.model.governance.plan import Change, Plan
from lambdas.lake.model.names import Zone
from lambdas.saas.model.runs import RunState
from local_cloud.factory.demo.lake.scene import Scene
from local_cloud.factory.granary import WORKLOAD
from local_cloud.factory.lake import ENVIRONMENT, LAKE, PERMISSIONS, permissions, wait_for
from local_cloud.factory.lake_people import RefusedError

_ANALYST = "teams/analyst"
_DATABASE, _TABLE = LAKE.database(Zone.PURPOSE_BUILT), "trips_by_payment"
_COLUMNS = "DISTINCT pickup_location_id"
_SHOWN = 4  # lines of each part of a plan
_RECORD = {
    "name": "zone-reports",
    "classes": ["location"],
    "purpose": "Plan where vehicles wait",
    "legal_basis": "legitimate_interests",
    "recipients": ["Fleet"],
    "third_country_transfer": "none",
    "retention": "60 days",
    "owner": "privacy@example.com",
    "valid_until": "2099-12-31",
}


def play(scene: Scene) -> None:
    """Query, commit a record, approve the plan, query again; then drop the table, and have it granted again."""
    _refused(scene)
    _granted(scene)
    _made_anew(scene)


def _refused(scene: Scene) -> None:
    scene.stage.act("An analyst's query for personal data is refused")
    _plan(scene)
    _approve(scene)
    _query(scene, answered=False)


def _granted(scene: Scene) -> None:
    scene.stage.act("A record of processing is added: the plan shows who gains what, and it is granted")
    with scene.stage.step(f"commit the record {_RECORD['name']} for the analysts' rule, and push it: CI/CD deploys it"):
        file = permissions()
        (analyst,) = (one for one in file["personas"] if one["name"] == "analyst")
        analyst["rules"][0]["record"] = _RECORD["name"]
        workspace = scene.lake.granary.workspace
        workspace.configure(PERMISSIONS, {**file, "records": [*file["records"], _RECORD]})
        workspace.commit("Analysts may read places, for reports")
        version = scene.lake.granary.push("a record")

        def released() -> bool | None:
            run = scene.lake.granary.run(version)
            return True if run and run.state == RunState.SUCCEEDED else None

        wait_for(released, "CI/CD to deploy it")
    _plan(scene)
    _approve(scene)
    _query(scene, answered=True)


def _made_anew(scene: Scene) -> None:
    scene.stage.act("A table is dropped and made again")
    glue, name = scene.lake.client("glue"), {"DatabaseName": _DATABASE, "TableName": _TABLE}
    with scene.stage.step(f"drop {_TABLE}, and make it again with the same partitions: no grant on it is left"):
        table = glue.get_table(DatabaseName=_DATABASE, Name=_TABLE)["Table"]
        partitions = list(scene.lake.partitions(Zone.PURPOSE_BUILT, _TABLE))
        glue.delete_table(DatabaseName=_DATABASE, Name=_TABLE)
        kept = {key: table[key] for key in ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")}
        glue.create_table(DatabaseName=_DATABASE, TableInput=kept)
        for one in partitions:
            given = {key: one[key] for key in ("Values", "StorageDescriptor", "Parameters")}
            glue.create_partition(**name, PartitionInput=given)
    _query(scene, answered=False)
    _plan(scene)
    _approve(scene)
    _query(scene, answered=True)


def _plan(scene: Scene) -> None:
    """Type `granary lake plan`, and show what came of it: somebody gains personal data, so that it waits."""
    scene.stage.granary(scene.lake.granary, "lake", "plan", ENVIRONMENT)
    with scene.stage.step("discover, plan, and wait, for somebody gains personal data"):
        ended = scene.lake.governed()
    scene.stage.expect(holds=ended == "Waits for approval", otherwise=f"the run of governance ended as: {ended}")
    plan = _last(scene)
    for title, lines in (
        ("To be approved", plan.approvals),
        ("Who gains and loses what", [_told(one) for one in plan.changes]),
        ("Refused", [f"{one.persona}: {', '.join(one.columns)}: {one.reason}" for one in plan.refused]),
    ):
        scene.stage.console.print(f"  [bold]{title}[/]: {len(lines) or 'nothing'}")
        for line in lines[:_SHOWN]:
            scene.stage.console.print(f"    {line}", highlight=False, markup=False)


def _told(one: Change) -> str:
    place = ".".join(filter(None, (one.database, ", ".join(one.tables))))
    words = "; ".join(f"{verb} {what}" for verb, what in (("gains", one.gained), ("loses", one.lost)) if what)
    return f"{one.principal.rpartition('/')[2]} on {place}: {words}"


def _last(scene: Scene) -> Plan:
    return Plan.from_json(scene.lake.granary.cli("lake", "plan", ENVIRONMENT, "--last", "--json").stdout)


def _approve(scene: Scene) -> None:
    scene.stage.granary(scene.lake.granary, "lake", "apply", _last(scene).digest[:12])
    with scene.stage.step("apply it, and read back that nothing is missing"):
        ended = scene.lake.governed()
    scene.stage.expect(holds=ended == "Applied", otherwise=f"the run of governance ended as: {ended}")


def _query(scene: Scene, *, answered: bool) -> None:
    """Query as the analyst, with a session of that role."""
    table = f"{_DATABASE}.{_TABLE}"
    scene.stage.console.print(f"  as role/{_ANALYST} of {WORKLOAD}: {_COLUMNS} of {table}")
    try:
        said = f"{len(scene.people.read(_ANALYST, _COLUMNS, table))} rows"
    except RefusedError as error:
        said = str(error)
    scene.stage.console.print(f"    [bold]{said}[/]", highlight=False, soft_wrap=True)
    scene.stage.expect(holds=said.endswith(" rows") == answered, otherwise=f"the query for personal data: {said}")
