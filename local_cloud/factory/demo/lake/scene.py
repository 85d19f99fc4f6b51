"""Where the acts play: a lake that its pipelines have deployed, and what is waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from rich.markup import escape
from rich.table import Table

from lambdas.lake.model.names import Zone
from lambdas.lake.model.objects import AuditRow, ObjectVersion, Phase
from local_cloud.cloud import LocalCloudError
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import WORKLOAD, Granary
from local_cloud.factory.lake import ENVIRONMENT, PIPELINES, Lake, wait_for
from local_cloud.factory.lake_people import People
from local_cloud.glue import environment

# Tables, by the zone that they are in.
TABLES = (
    (Zone.CONFORMED, "green_trips"),
    (Zone.CONFORMED, "green_trips_quarantine"),
    (Zone.PURPOSE_BUILT, "trips_by_payment"),
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A lake in an account of its own."""

    stage: Stage
    lake: Lake
    people: People

    @classmethod
    def set_up(cls, stage: Stage, factory: Callable[..., Granary]) -> Self:
        """Have the factory, switch a lake on, and wait until its pipelines have deployed it."""
        stage.act("A commit switches a lake on")
        with stage.step("have Spark and its Java, in an environment of their own (minutes, the first time)"):
            environment.spark()
        granary = factory(release=False)  # the first one has the lake: it takes a minute less
        with stage.step(
            f"commit config/lake.yaml, a dataset and permissions; the administrator of {WORKLOAD} deploys roles and "
            "keys, and makes the people"
        ):
            lake = Lake.switch_on(granary)
            people = People.arrive(lake)
        stage.granary(granary, "lake", "datasets")
        with stage.step("push it: CI/CD makes both pipelines, which deploy network, buckets, queue, jobs and machine"):
            lake.push("a lake")
            scene = cls(stage=stage, lake=lake, people=people)
            wait_for(scene.deployed, "the lake's pipelines to deploy it")
        with stage.step(
            "the administrator registers the data with Lake Formation, which lets nobody in without a grant"
        ):
            lake.administer("register-resource")
        stage.granary(granary, "lake", "plan", ENVIRONMENT)
        with stage.step("discover, plan, apply: the lake's jobs may make tables"):
            ended = lake.governed()
        stage.expect(holds=ended == "Applied", otherwise=f"the first run of governance ended as: {ended}")
        return scene

    def deployed(self) -> bool | None:
        """Whether both pipelines have deployed.

        Raises:
            LocalCloudError: one has failed.
        """
        try:
            return self.lake.deployed()
        except AssertionError as error:
            raise LocalCloudError(str(error)) from error

    def deployed_version(self, version: str) -> bool | None:
        """Whether both pipelines have deployed a version of the environment's source."""
        for pipeline in PIPELINES:
            newest = self.lake.granary.executions(pipeline)[:1]
            if not newest or version not in [one["revisionId"] for one in newest[0]["sourceRevisions"]]:
                return None
        return self.deployed()

    def settled(self, what: str, *objects: ObjectVersion) -> list[AuditRow]:
        """Wait until the runs of objects have ended."""
        with self.stage.step(what):
            return self.lake.settled(*objects)

    def expect(self, row: AuditRow, phase: Phase) -> None:
        """Note a problem unless a run ended so."""
        self.stage.expect(holds=row.phase is phase, otherwise=f"{row.key} is {row.phase}: {row.reason}")

    def runs(self, *words: str) -> None:
        """Type `granary lake runs` as somebody of the lake's account."""
        self.stage.granary(self.lake.granary, "lake", "runs", ENVIRONMENT, *words, account=WORKLOAD)

    def partitions(self) -> dict[str, dict[str, str]]:
        """Where the rows of each object version are, by table, as the catalog says."""
        return {
            table: {
                one["Values"][-1]: one["StorageDescriptor"]["Location"] for one in self.lake.partitions(zone, table)
            }
            for zone, table in TABLES
        }

    def show(self, title: str, rows: list[AuditRow]) -> None:
        """Print the counts of runs."""
        table = Table("object", "run", "read", "good", "quarantined", "reason", title=title, title_justify="left")
        for row in rows:
            counts = map(str, (row.read, row.good, row.quarantined))
            table.add_row(escape(row.key), f"[bold]{row.phase}[/]", *counts, escape(row.reason[:120]))
        self.stage.console.print(table)
