"""Where the acts play: the factory, an ear on its bus, and what is waited for while CI/CD's stages are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from rich.table import Table

from lambdas.saas.model.runs import Run, RunState
from local_cloud.factory.board import Board
from local_cloud.factory.demo.gates import seen
from local_cloud.factory.demo.stage import DEADLINE_SECONDS, Stage
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.inbox import Inbox, listen_to_bus

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A factory with a gate for secrets, whose first release is through."""

    stage: Stage
    granary: Granary
    bus: Inbox
    board: Board

    @classmethod
    def set_up(cls, stage: Stage, factory: Callable[[], Granary]) -> Self:
        """Have the factory, switch Security Hub on, and wait until the first release is through its gate."""
        stage.act("A factory with a gate for secrets")
        granary = factory()
        with stage.step(f"switch Security Hub on in {TOOLCHAIN}, {HOME}, and listen to {NAMES.event_bus}"):
            granary.client("securityhub").enable_security_hub()
            bus = listen_to_bus(granary, name="demo-lifecycle")
        scene = cls(stage=stage, granary=granary, bus=bus, board=Board(stage.console, granary, (), began=stage.began))
        head = granary.client("s3").head_object(Bucket=NAMES.source_bucket(TOOLCHAIN, HOME), Key="source.zip")
        with stage.step("CI/CD passes the gate (its scanner is set up now, once) and deploys granary-gates"):
            scene.released(head["VersionId"])
        stage.granary(granary, "gates", "list")
        return scene

    def released(self, revision: str) -> None:
        """Wait until CI/CD is through and the release is over."""

        def over() -> Run | None:
            run = self.granary.run(revision)
            return run if run and run.state != RunState.RUNNING else None

        run = self.wait(over, what=f"the release of {revision}", also=lambda: self._ended(revision, "Failed"))
        self.stage.expect(holds=run.state == RunState.SUCCEEDED, otherwise=f"the release did not succeed: {run}")

    def stopped(self, revision: str) -> dict[str, Any]:
        """Wait until a gate has stopped a commit; answers the event's detail."""
        return self.wait(
            lambda: seen.stopped(self.granary, self.bus, revision),
            what=f"a gate to stop {revision}",
            also=lambda: self._ended(revision, "Succeeded"),
        )

    def finding(self, fingerprint: str, holds: Callable[[dict[str, Any]], bool], *, what: str) -> dict[str, Any]:
        """Wait until Security Hub has a finding of which something holds."""

        def found() -> dict[str, Any] | None:
            one = seen.finding(self.granary, fingerprint)
            return one if one and holds(one) else None

        return self.wait(found, what=f"Security Hub to have the finding {what}")

    def wait(self, look: Callable[[], Found | None], *, what: str, also: Callable[[], Sequence[str]] = tuple) -> Found:
        """Wait until `look` finds something; CI/CD's stages are shown meanwhile."""
        with self.board.live() as live:

            def found() -> Found | None:
                self.board.show(live, self.board.look())
                return look()

            return wait_until(found, seconds=DEADLINE_SECONDS, what=what, also=also)

    def show(self, one: dict[str, Any], *, title: str) -> None:
        """Print a finding as Security Hub has it."""
        table = Table("what", "severity", "where", "record", "workflow", "first seen", title=title)
        place = one["Resources"][0]["Details"]["Other"]
        table.add_row(
            one["Title"],
            one["Severity"]["Label"],
            f"{place['Path']}:{place['Line']}",
            f"[bold]{one['RecordState']}[/]",
            one["Workflow"]["Status"],
            one["FirstObservedAt"],
        )
        self.stage.console.print(table)

    def _ended(self, revision: str, status: str) -> list[str]:
        return seen.ended(self.granary, revision, status)
