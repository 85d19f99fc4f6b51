"""`release`, `resume`, `approve` and `reject`: the release that is under way."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.errors import NotFoundError
from cli.exits import Exit
from cli.progress import Sight, lines
from cli.releases import ReleaseDesk
from cli.render.output import Output
from cli.render.progress import Board
from cli.runs import Start, newest, resumable, resumed_name, start_of
from cli.session import Session
from lambdas.common.runs import run_name
from lambdas.common.runs_table import RunsTable

POLL_SECONDS = 1.0


def desk_of(session: Session) -> ReleaseDesk:
    """The desk of a factory."""
    dynamodb = session.client("dynamodb")
    return ReleaseDesk(
        dynamodb=dynamodb,
        stepfunctions=session.client("stepfunctions"),
        runs=RunsTable(client=dynamodb, name=session.names.releases_table),
        status_table=session.names.status_table,
        machine_arn=session.machine_arn(session.names.release_machine),
    )


def release(session: Session, output: Output, *, follow: bool) -> Exit:
    """Start the newest release, or follow it when it has been started."""
    desk = desk_of(session)
    chosen, run = newest(desk.published()), desk.current()
    start = start_of(chosen, run)
    name = run.run if run and start is not Start.BEGIN else run_name(chosen)
    if start is Start.BEGIN:
        desk.start(name, release=chosen)
        output.say(f"release {chosen.revision} is started as run {name}")
    elif start is Start.DONE:
        output.say(f"release {chosen.revision} has been released by run {name}")
    return _watch(desk, output, name, follow=follow)


def resume(session: Session, output: Output, *, follow: bool) -> Exit:
    """Go on with the run that was stopped.

    Raises:
        ConflictError: the run in force is not stopped.
    """
    desk = desk_of(session)
    stopped = resumable(desk.current())
    chosen = desk.runs.release(stopped.revision)
    if chosen is None:
        raise NotFoundError(f"release {stopped.revision} is not kept any more: publish the source again")
    name = resumed_name(stopped.run)
    desk.start(name, release=chosen, resumes=stopped.run)
    output.say(f"run {name} goes on with {stopped.run}, which had stopped: {stopped.reason}")
    return _watch(desk, output, name, follow=follow)


def _watch(desk: ReleaseDesk, output: Output, name: str, *, follow: bool) -> Exit:
    with Board(output) as board:
        sight = follow_run(desk.look, name, board.show, sleep=time.sleep) if follow else desk.look(name)
    if output.as_json:
        output.data(sight.document())
    else:
        output.lines(lines(sight))
    return sight.exit


def follow_run(
    look: Callable[[str, Sight | None], Sight],
    name: str,
    show: Callable[[Sight], None],
    *,
    sleep: Callable[[float], None],
) -> Sight:
    """Look at a run until it is over, and show each look."""
    sight = look(name, None)
    show(sight)
    while not sight.over:
        sleep(POLL_SECONDS)
        sight = look(name, sight)
        show(sight)
    return sight
