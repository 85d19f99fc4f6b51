"""`status ID`: everything about one deployment."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from cli.common.errors import NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.saas.details import Details, facts
from cli.saas.render.details import facts_lines, facts_table
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.saas.model.defaults import filled
from lambdas.saas.model.lineage import in_force, lineage
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Status
from lambdas.saas.model.wishes import wish_of
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.same_releases import SameReleases


def read_details(session: SaasSession, deployment_id: str) -> Details:
    """Read what there is about a deployment.

    Raises:
        NotFoundError: there is neither a row nor a status.
    """
    row = session.deployments.get(deployment_id)
    status = session.statuses.get(deployment_id)
    if row is None and status is None:
        raise NotFoundError(f"there is no deployment {deployment_id}: `granary list` has the ids")
    wish = None
    if row is not None:
        now = stamp(clock.now())
        wish = wish_of(row, status, session.policy, now=now, refuses=session.why_no_pin)
    deployed = wish if isinstance(wish, DeploymentRecord) else None
    if deployed and not deployed.revision:
        deployed = filled(deployed, session.policy)
    known = Details(id=deployment_id, row=row, wish=wish, status=status, deployed=deployed)
    return _with_release(known, RunsTable(client=session.client("dynamodb"), name=session.names.releases_table))


def _with_release(details: Details, runs: RunsTable) -> Details:
    """The details with what is known of the release in force: `granary release` tells what of it cannot be read."""
    with suppress(UnreadableError):
        if run := in_force(runs):
            details = replace(details, run=run)
            return replace(details, before=lineage(runs, run)[1:], is_current=_is_current(details.status, run, runs))
    return details


def _is_current(status: Status | None, run: Run, runs: RunsTable) -> bool:
    if status is None or status.revision_deployed in ("", run.revision) or run.state != RunState.SUCCEEDED:
        return False
    release = runs.release(run.revision)
    return release is not None and status.revision_deployed in SameReleases(runs=runs).revisions(release, [status])


def show_status(session: SaasSession, output: Output, *, deployment_id: str, check: bool) -> Exit:
    """Show a deployment; with `check`, the exit code tells whether something is wrong with it."""
    details = read_details(session, deployment_id)
    if output.as_json:
        output.data(details.document())
    elif output.stdout.is_terminal:
        output.show(facts_table(facts(details, now=clock.now())))
    else:
        output.lines(facts_lines(facts(details, now=clock.now())))
    return Exit.WRONG if check and details.wrong else Exit.OK
