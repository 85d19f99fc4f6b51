"""The first act: three rows become three tenants."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from rich.table import Table

from lambdas.saas.model.status import Phase
from local_cloud.factory.board import Board, Sight
from local_cloud.factory.demo.saas.rows import ROWS
from local_cloud.factory.demo.stage import DEADLINE_SECONDS, Stage
from local_cloud.factory.granary import NAMES, Granary, wait_until
from local_cloud.factory.zone import ADDRESS


def play(stage: Stage, factory: Callable[[], Granary]) -> Granary:
    """Have the factory, put the rows, and wait until the tenants stand."""
    stage.act("Three rows become three tenants")
    granary = factory()
    with stage.step("put three rows with DynamoDB put-item"):
        for row in ROWS:
            granary.put(row)
    _watch(Board(stage.console, granary, ROWS, began=stage.began))
    _verify(stage, granary)
    return granary


def _watch(board: Board) -> None:
    with board.live() as live:

        def settled() -> Sight | None:
            sight = board.look()
            board.show(live, sight)
            over = all(status and status.phase is Phase.ACTIVE for status in sight.statuses.values())
            return sight if over else None

        wait_until(settled, seconds=DEADLINE_SECONDS, what="three ACTIVE tenants", also=_failures(board))


def _verify(stage: Stage, granary: Granary) -> None:
    """Read everything back from the cloud, and print it."""
    table = Table("tenant", "phase", "revision", "pipeline", "component stack", "where", "answers", title="What stands")
    for row in ROWS:
        status, stack = granary.status(row.id), granary.component(row)
        executions = granary.executions(row.pipeline)
        if status is None or stack is None or not executions:
            stage.problems.append(f"{row.id}: no status, stack or execution")
            continue
        table.add_row(
            row.id,
            status.phase,
            status.revision_deployed[:8],
            executions[0]["status"],
            f"{stack['StackName']} {stack['StackStatus']}",
            f"{row.account} {row.region}",
            _answer(stage, granary, stack),
        )
        stage.problems += [
            f"{row.id}: {what}"
            for wrong, what in (
                (status.phase is not Phase.ACTIVE, f"is {status.phase}: {status.reason}"),
                (status.revision_deployed != status.revision_wanted, "another revision than wanted is deployed"),
                (executions[0]["status"] != "Succeeded", "its pipeline did not succeed"),
                (stack["StackStatus"] != "CREATE_COMPLETE", f"its stack is {stack['StackStatus']}"),
                (f":{row.region}:{row.account}:" not in stack["StackId"], f"its stack is {stack['StackId']}"),
            )
            if wrong
        ]
    stage.console.print(table)


def _answer(stage: Stage, granary: Granary, stack: Mapping[str, Any]) -> str:
    """What the component says where it listens, if it does."""
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
    address = next((value for key, value in outputs.items() if ADDRESS and key.startswith(ADDRESS)), "")
    if not address:
        return "nothing listens"
    context = ssl.create_default_context(cafile=str(granary.cloud.settings.ca_bundle))
    openers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*openers).open(address, timeout=10) as answer:
            return f"{answer.status} at {address}"
    except OSError as error:
        stage.problems.append(f"{stack['StackName']}: {address} does not answer: {error}")
        return str(error)


def _failures(board: Board) -> Callable[[], list[str]]:
    def failures() -> list[str]:
        found = [
            f"{row.id} is FAILED: {status.reason}"
            for row in board.rows
            if (status := board.granary.status(row.id)) and status.phase in (Phase.FAILED, Phase.INVALID)
        ]
        newest = board.granary.executions(NAMES.cicd_pipeline)[:1]
        if newest and newest[0]["status"] == "Failed":
            found.append(f"CI/CD failed: see the logs of its builds in {board.granary.cloud.settings.builds_dir}")
        return found

    return failures
