"""`make demo`: three rows become three tenants, before your eyes, on this machine, with no AWS account.

`--keep` leaves everything running: `make demo-up`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lambdas.common.status import Phase
from local_cloud.__main__ import DEFAULT_STATE_DIR
from local_cloud.cloud import LocalCloud, LocalCloudError
from local_cloud.factory.board import Board, Sight
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, Row, wait_until
from local_cloud.factory.workspace import Workspace

# The post's three rows.
ROWS = (
    Row(id="silo1", type="silo", region="us-east-1"),
    Row(id="pool1", type="pool", region="us-east-1"),
    Row(id="pool2", type="pool", region="eu-west-1"),
)
DEADLINE_SECONDS = 600.0
_LOG_WIDTH = 160  # where there is no terminal to fit into


class Demo:
    """The steps, one after the other."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.monotonic()

    def run(self, cloud: LocalCloud) -> list[str]:
        """Run the main job; returns what is not as it should be."""
        granary = self._factory(cloud)
        with self._step("put three rows with DynamoDB put-item"):
            for row in ROWS:
                granary.put(row)
        board = Board(self.console, granary, ROWS, began=self.began)
        self._watch(board)
        problems = self._verify(granary)
        self.console.print(f"\n{time.monotonic() - self.began:.0f} s in all.")
        return problems

    def _factory(self, cloud: LocalCloud) -> Granary:
        with self._step("copy the project into a git repository of its own"):
            workspace = Workspace.create(cloud.settings.state_dir / "workspace")
        granary = Granary(cloud, workspace)
        with self._step("cdk bootstrap: two accounts in two Regions"):
            granary.bootstrap()
        with self._step(f"cdk deploy {NAMES.toolchain_stack}"):
            granary.deploy()
        with self._step("push the source: CI/CD checks it and publishes the first release"):
            granary.push("first release")
        return granary

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        with self.console.status(escape(what)):
            yield
        now = time.monotonic()
        self.console.print(f"{now - self.began:6.1f} s  [green]done[/] in {now - began:.1f} s: {escape(what)}")

    def _watch(self, board: Board) -> None:
        with board.live() as live:

            def settled() -> Sight | None:
                sight = board.look()
                board.show(live, sight)
                over = all(status and status.phase is Phase.ACTIVE for status in sight.statuses.values())
                return sight if over else None

            wait_until(settled, seconds=DEADLINE_SECONDS, what="three ACTIVE tenants", also=_failures(board))

    def _verify(self, granary: Granary) -> list[str]:
        """Read everything back from the cloud, and print it."""
        problems: list[str] = []
        table = Table("tenant", "phase", "revision", "pipeline", "component stack", "where", title="What stands")
        for row in ROWS:
            status, stack = granary.status(row.id), granary.component(row)
            executions = granary.executions(row.pipeline)
            if status is None or stack is None or not executions:
                problems.append(f"{row.id}: no status, stack or execution")
                continue
            table.add_row(
                row.id,
                status.phase,
                status.revision_deployed[:8],
                executions[0]["status"],
                f"{stack['StackName']} {stack['StackStatus']}",
                f"{row.account} {row.region}",
            )
            problems += [
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
        self.console.print(table)
        return problems


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


def main() -> int:
    """Run the demo; the exit code tells whether everything is as it should be."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the local cloud running")
    keep = parser.parse_args().keep
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_WIDTH)
    try:
        cloud = LocalCloud.start(DEFAULT_STATE_DIR)
    except LocalCloudError as error:
        console.print(f"[red]{escape(str(error))}[/]\n`make demo-down` stops it.")
        return 1
    try:
        problems = Demo(console).run(cloud)
        for problem in problems:
            console.print(f"[red]{escape(problem)}[/]")
        if keep and not problems:
            _invite(console, cloud)
    except LocalCloudError as error:
        console.print(f"[red]{escape(str(error))}[/]\nThe server's log: {cloud.settings.log_file}")
        problems = [str(error)]
    finally:
        if not keep:
            cloud.stop()
    return 1 if problems else 0


def _invite(console: Console, cloud: LocalCloud) -> None:
    console.print(
        f"\nThe factory runs at {cloud.endpoint}. To play with it (AWS CLI, boto3):\n\n"
        f'  eval "$(.venv/bin/python -m local_cloud env --account {TOOLCHAIN} --region {HOME})"\n'
        f"  .venv/bin/aws dynamodb scan --table-name {NAMES.status_table}\n\n"
        "That sets these variables:",
        highlight=False,
    )
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_CA_BUNDLE"):
        console.print(f"  export {name}={cloud.env(TOOLCHAIN, HOME)[name]}", highlight=False, soft_wrap=True)
    console.print("\n`make demo-down` stops it.")


if __name__ == "__main__":
    sys.exit(main())
