"""`status ID`: everything about one deployment."""

from __future__ import annotations

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
from lambdas.saas.model.lineage import in_force
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.runs import Run
from lambdas.saas.model.wishes import wish_of
from lambdas.saas.store.runs_table import RunsTable


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
    return Details(id=deployment_id, row=row, wish=wish, status=status, run=_in_force(session), deployed=deployed)


def _in_force(session: SaasSession) -> Run | None:
    runs = RunsTable(client=session.client("dynamodb"), name=session.names.releases_table)
    try:
        return in_force(runs)
    except UnreadableError:
        return None  # `granary release` tells; of the deployment all else can be told


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
