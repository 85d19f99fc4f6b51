"""`release`, `resume`, `approve` and `reject`: the release that is under way."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.common.errors import ConflictError, NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.saas.approval import Answer, Approvals
from cli.saas.pinning import resolved
from cli.saas.progress import Sight, lines
from cli.saas.releases import ReleaseDesk
from cli.saas.render.progress import Board
from cli.saas.runs import Start, newest, resumable, start_of, waiting_ring
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.common.revisions import release_key
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Plan, plan_rows
from lambdas.saas.model.runs import Run, RunState, resumed_name, run_name
from lambdas.saas.model.status import sort_out
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.same_releases import SameReleases
from lambdas.saas.store.standing_pipelines import as_they_stand

POLL_SECONDS = 1.0


def desk_of(session: SaasSession) -> ReleaseDesk:
    """The desk of a factory."""
    dynamodb = session.client("dynamodb")
    return ReleaseDesk(
        dynamodb=dynamodb,
        stepfunctions=session.client("stepfunctions"),
        runs=RunsTable(client=dynamodb, name=session.names.releases_table),
        status_table=session.names.status_table,
        machine_arn=session.machine_arn(session.names.release_machine),
    )


def plan_of(session: SaasSession, release: Release, *, resumes: str) -> Plan:
    """What a run of a release would take up now, if it goes on with another (`resumes`) or with none."""
    # Rows are read last: one that is put meanwhile has a status only if it has a row.
    statuses = list(as_they_stand(session.statuses.all(), session.pipelines))
    runs = desk_of(session).runs
    releases, former = SameReleases(runs=runs), runs.run(resumes) if resumes else None
    nobody = not resumes and changes_nobody(session, release)
    passes = nobody or (former is not None and releases.found_good(former))
    return plan_rows(
        session.release_policy,
        revision=release.revision,
        same=releases.revisions(release, sort_out(statuses)[0].values()) if passes else (),
        takes=lambda _record, _status: not nobody,
        rows=session.deployments.rows(),
        targets=session.policy,
        now=stamp(clock.now()),
        statuses=statuses,
        resumes=resumes,
    )


def changes_nobody(session: SaasSession, release: Release) -> bool:
    """Whether everybody has already got what a first run of a release would bring."""
    desk = desk_of(session)
    return SameReleases(runs=desk.runs).of_former(release, desk.current())


def chosen_release(session: SaasSession, revision: str) -> Release:
    """The release whose revision begins so, be it one that was never started; the newest that was, without one."""
    desk = desk_of(session)
    if not revision:
        return newest(desk.published())
    if kept := desk.runs.release(revision):
        return kept
    full = full_revision(session, revision)
    return desk.runs.release(full) or session.pins.find(full)


def full_revision(session: SaasSession, text: str) -> str:
    """The published release whose revision begins so.

    Raises:
        NotFoundError: there is none, or more than one.
    """
    begins = release_key(text).removesuffix("/source.zip")
    folder = begins.removesuffix(text)
    pages = session.client("s3").get_paginator("list_objects_v2")
    bucket = session.names.releases_bucket(session.account, session.region)
    found = pages.paginate(Bucket=bucket, Prefix=begins, Delimiter="/")
    folders = (one["Prefix"] for page in found for one in page.get("CommonPrefixes", ()))
    return resolved(text, [one.removeprefix(folder).rstrip("/") for one in folders])


def release(session: SaasSession, output: Output, *, follow: bool, revision: str = "", everyone: bool = False) -> Exit:
    """Start a release, the newest unless one is named, or follow it when it has been started; show one that stopped.

    For `everyone`, it goes to those too who have the same of another release, though a run of it is through.
    """
    desk = desk_of(session)
    chosen, run = chosen_release(session, revision), desk.current()
    start = start_of(chosen, run, everyone=everyone)
    name = run.run if run and start is not Start.BEGIN else run_name(chosen)
    if start is Start.BEGIN or (start is Start.DONE and everyone):
        resumes = name if start is Start.DONE else ""
        first = resumed_name(name) if resumes else name
        started = desk.start(first, release=chosen, resumes=resumes, everyone=everyone)
        name = started.name
        output.say(f"release {chosen.revision} {'is' if started.new else 'was'} started as run {name}")
    elif start is Start.DONE:
        output.say(f"release {chosen.revision} has been released by run {name}")
    return _watch(desk, output, name, follow=follow)


def resume(session: SaasSession, output: Output, *, follow: bool) -> Exit:
    """Go on with the run that was stopped, or with what one that is through has left behind.

    Raises:
        ConflictError: the run in force goes on, or nothing is left of it.
    """
    desk = desk_of(session)
    run = desk.current()
    former = resumable(run, left=_left(session, run))
    chosen = desk.runs.release(former.revision)
    if chosen is None:
        raise NotFoundError(f"release {former.revision} is not kept any more: publish the source again")
    name = desk.start(resumed_name(former.run), release=chosen, resumes=former.run).name
    output.say(f"run {name} goes on with {former.run}, which {_ended(former)}")
    return _watch(desk, output, name, follow=follow)


def answer_ring(session: SaasSession, output: Output, *, answer: Answer, ring: str, comment: str) -> None:
    """Answer the ring of the run in force that waits for an approval.

    Raises:
        ConflictError: none waits.
    """
    desk = desk_of(session)
    run = desk.current()
    if run is None or run.state != RunState.RUNNING:
        raise ConflictError("no release is under way, so none waits for an approval: see `granary release`")
    waiting = waiting_ring(desk.rings(run), ring)
    Approvals(stepfunctions=desk.stepfunctions).answer(waiting, answer, prove=session.proof, reason=comment)
    document = {"run": run.run, "ring": waiting.name, "answer": str(answer), "changes": list(waiting.changes)}
    output.answer(document, said=f"ring {waiting.name} of run {run.run} is {answer}.")


def _left(session: SaasSession, run: Run | None) -> int:
    """How many deployments a run that is through has left behind."""
    if run is None or run.state != RunState.SUCCEEDED:
        return 0
    kept = desk_of(session).runs.release(run.revision)
    return plan_of(session, kept, resumes=run.run).total if kept else 0


def _ended(run: Run) -> str:
    return f"had stopped: {run.reason}" if run.state == RunState.STOPPED else "has left some deployments behind"


def _watch(desk: ReleaseDesk, output: Output, name: str, *, follow: bool) -> Exit:
    with Board(output) as board:
        sight = follow_run(desk.look, name, board.show, sleep=time.sleep) if follow else desk.look(name)
    output.result(sight.document(), lines(sight))
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
