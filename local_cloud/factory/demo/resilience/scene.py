"""Where the acts play: two tenants that answer, in two rings, of which one has an experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from rich.table import Table

from lambdas.saas.model.status import Phase
from local_cloud.factory.chaos import CANARY, EXPERIMENT, LAST, QUICK, ChaosFactory
from local_cloud.factory.demo.stage import DEADLINE_SECONDS, Stage
from local_cloud.factory.granary import NAMES, Granary, Row, wait_until


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The factory with its tenants."""

    stage: Stage
    chaos: ChaosFactory

    @classmethod
    def set_up(cls, stage: Stage, factory: Callable[[], Granary]) -> Self:
        """Have the factory, and two tenants that stand."""
        stage.act("Two tenants, and an experiment in the first one's ring")
        granary = factory()
        scene = cls(stage=stage, chaos=ChaosFactory(granary=granary))
        with stage.step(f"put two rows: {CANARY.id} in ring {CANARY.ring}, {LAST.id} in ring {LAST.ring}"):
            for row in (CANARY, LAST):
                granary.put(row)
        with stage.step("CI/CD deploys granary-resilience, and the tenants stand"):
            wait_until(scene._active, seconds=DEADLINE_SECONDS, what="two ACTIVE tenants", also=scene._trouble)
        with stage.step(f"{CANARY.id} gets an alarm on its healthy tasks; a minute of FIS takes seconds from now on"):
            granary.cloud.faults.set(QUICK)
            scene.chaos.bring_alarm(CANARY)
        stage.granary(granary, "chaos", "list")
        stage.granary(granary, "chaos", "run", CANARY.id, "--experiment", EXPERIMENT, "--dry-run")
        return scene

    def release(self) -> str:
        """Have CI/CD begin a release; its revision."""
        granary = self.chaos.granary
        with self.stage.step("commit and push: CI/CD checks it and begins the release"):
            revision = self.chaos.push_nothing()
            wait_until(lambda: granary.run(revision), seconds=DEADLINE_SECONDS, what="the release", also=self._cicd)
        return revision

    def revision(self, row: Row) -> str:
        """What a tenant has."""
        status = self.chaos.granary.status(row.id)
        return status.revision_deployed if status else ""

    def expect_revision(self, row: Row, revision: str, *, why: str) -> None:
        """Note a problem unless a tenant has this."""
        found = self.revision(row)
        self.stage.expect(
            holds=found == revision, otherwise=f"{row.id} should have {revision}, for {why}; it has {found}"
        )

    def show(self, revision: str, outcome: str) -> None:
        """Print what is kept of the newest attempt about a release; its outcome has to be this."""
        *_, verdict = [{"outcome": "none", "reason": "", "evidence": []}, *self.chaos.verdicts(revision)]
        table = Table("step", "probe", "saw", "asks for", "", title=f"{verdict['outcome']}: {verdict['reason']}")
        for one in verdict["evidence"]:
            table.add_row(one["step"], one["probe"], one["value"], one["threshold"], one["outcome"])
        self.stage.console.print(table)
        self.stage.expect(holds=verdict["outcome"] == outcome, otherwise=f"the verdict is {verdict}, not {outcome}")
        self.stage.granary(self.chaos.granary, "chaos", "history", CANARY.id)

    def _active(self) -> bool | None:
        known = [self.chaos.granary.status(row.id) for row in (CANARY, LAST)]
        return True if all(one and one.phase is Phase.ACTIVE for one in known) else None

    def _trouble(self) -> list[str]:
        known = (self.chaos.granary.status(row.id) for row in (CANARY, LAST))
        return [
            *(f"{one.id} is FAILED: {one.reason}" for one in known if one and one.phase is Phase.FAILED),
            *self._cicd(),
        ]

    def _cicd(self) -> list[str]:
        newest = self.chaos.granary.executions(NAMES.cicd_pipeline)[:1]
        logs = self.chaos.granary.cloud.settings.builds_dir
        return (
            [f"CI/CD failed: see the logs of its builds in {logs}"]
            if newest and newest[0]["status"] == "Failed"
            else []
        )
