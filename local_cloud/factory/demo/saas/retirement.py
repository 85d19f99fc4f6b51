"""The third act: a tenant is retired; what is gone, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.table import Table

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.demo.saas.rows import POOL1, POOL2, SILO1
from local_cloud.factory.demo.stage import DEADLINE_SECONDS, Stage
from local_cloud.factory.granary import Granary, wait_until


def play(stage: Stage, granary: Granary) -> None:
    """Retire a tenant, and show what is left."""
    stage.act("A tenant is retired")
    stage.granary(granary, "plan", "retire", SILO1.id)
    stage.granary(granary, "retire", "--yes", SILO1.id)

    def ended() -> Status | None:
        status = granary.status(SILO1.id)
        return status if status and status.phase in (Phase.RETIRED, Phase.RETIRED_WITH_WARNINGS) else None

    def failed() -> list[str]:
        status = granary.status(SILO1.id)
        return [f"{status.id} is FAILED: {status.reason}"] if status and status.phase is Phase.FAILED else []

    with stage.step("the lifecycle machine deletes the component, then the pipeline"):
        status = wait_until(ended, seconds=DEADLINE_SECONDS, what=f"{SILO1.id} to be retired", also=failed)
    stage.expect(holds=status.phase is Phase.RETIRED, otherwise=f"{SILO1.id} left something behind: {status.warnings}")
    _show(stage, granary, status)


def _show(stage: Stage, granary: Granary, status: Status) -> None:
    component, stages = granary.component(SILO1), granary.stages(SILO1.pipeline)
    stage.expect(holds=component is None, otherwise=f"the component of {SILO1.id} is still there")
    stage.expect(holds=not stages, otherwise=f"the pipeline of {SILO1.id} is still there")
    table = Table("what", "", title=f"After the retirement of {SILO1.id}", title_justify="left")
    table.add_row("its component's stack", _gone(gone=component is None))
    table.add_row("its pipeline, with its two projects", _gone(gone=not stages))
    table.add_row("its row", "[green]kept[/], with the state retired; delete it when you like")
    until = datetime.fromtimestamp(status.expires_at, UTC).date()
    table.add_row("its tombstone in the status table", f"[green]kept[/] until {until}")
    table.add_row("what was archived", ", ".join(status.archives) or "nothing: its component declares nothing stateful")
    for row in (POOL1, POOL2):
        other = granary.status(row.id)
        stage.expect(holds=granary.component(row) is not None, otherwise=f"the component of {row.id} is gone")
        table.add_row(f"{row.id}, its neighbour", f"[green]{other.phase if other else 'gone'}[/]")
    stage.console.print(table)


def _gone(*, gone: bool) -> str:
    return "[red]gone[/]" if gone else "[yellow]still there[/]"
