"""`pin` and `unpin`: one tenant at one release, whatever the others get."""

from __future__ import annotations

from collections.abc import Sequence

from cli.common.errors import ConflictError, NotFoundError
from cli.common.output import Output
from cli.saas.commands.release import desk_of, full_revision
from cli.saas.commands.repair import consent
from cli.saas.commands.status import read_details
from cli.saas.details import Details
from cli.saas.pinning import Pinned, goes_over, what_pin_does, what_unpin_does, why_no_pin
from cli.saas.rows import RowWriter
from cli.saas.runs import newest
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.saas.model.record import InvalidRow
from lambdas.saas.model.wishes import wish_of


def pin(
    session: SaasSession,
    output: Output,
    *,
    ids: Sequence[str],
    revision: str,
    reason: str,
    until: str = "",
    sure: bool = False,
    back: bool = False,
) -> None:
    """Write the pin into the rows, after showing what that does.

    Who is `sure` beforehand has not read that it goes back over a forward-only task: that takes the word `back`.

    Raises:
        ConflictError: a row cannot be pinned so, for all reasons that there are; then no row is changed.
    """
    asked = Pinned(revision=full_revision(session, revision), reason=reason, until=until, by=session.caller)
    found = [_checked(session, one, asked) for one in ids]
    release, runs = session.pins.find(asked.revision), desk_of(session).runs
    lines: list[str] = []
    over: list[str] = []
    for details in found:
        deployed = details.status.revision_deployed if details.status else ""
        before = runs.release(deployed) if deployed else None
        kept = details.status.forward_only if details.status else None
        migrated = runs.release(kept.revision) if kept and kept.revision else None
        lines += what_pin_does(details, release=release, before=before, migrated=migrated, until=until)
        over += goes_over(details, release, migrated)
    if over and sure and not back:
        raise ConflictError(f"{'; '.join(over)}. Then `granary pin` with --back pins it")
    consent(output, lines, f"Pin {', '.join(ids)} to {asked.revision}?", sure=sure)
    rows = RowWriter(client=session.client("dynamodb"), table=session.names.deployments_table)
    for name in ids:
        if not rows.pin(name, asked):
            raise ConflictError(f"{name} has no row any more, or is retired by it: it was not pinned")
    document = {"ids": list(ids), "revision": asked.revision, "reason": reason, "until": until}
    output.answer(document, said=f"{', '.join(ids)}: pinned to {asked.revision}; `granary status` shows how it goes.")


def unpin(session: SaasSession, output: Output, *, deployment_id: str, sure: bool = False) -> None:
    """Take the pin out of a row, after showing what that does.

    Raises:
        ConflictError: it pins nothing.
    """
    details = read_details(session, deployment_id)
    if not (details.row or {}).get("revision"):
        raise ConflictError(f"the row of {deployment_id} pins nothing: there is nothing to undo")
    consent(output, what_unpin_does(details), f"Unpin {deployment_id}?", sure=sure)
    rows = RowWriter(client=session.client("dynamodb"), table=session.names.deployments_table)
    if not rows.unpin(deployment_id):
        raise NotFoundError(f"{deployment_id} has no row any more")
    output.answer({"id": deployment_id, "unpinned": True}, said=f"{deployment_id}: its row pins nothing any more.")


def release_only(
    session: SaasSession, output: Output, *, ids: Sequence[str], revision: str, reason: str, sure: bool
) -> None:
    """Release to some deployments alone, the newest release unless one is named: that is a pin of each."""
    chosen = revision or newest(desk_of(session).published()).revision
    pin(session, output, ids=ids, revision=chosen, reason=reason, sure=sure)


def _checked(session: SaasSession, deployment_id: str, asked: Pinned) -> Details:
    details = read_details(session, deployment_id)
    if why := why_no_pin(details):
        raise ConflictError(why)
    row = {name: value for name, value in (details.row or {}).items() if name not in asked.gone}
    wish = wish_of(
        {**row, **asked.attributes},
        details.status,
        session.policy,
        now=stamp(clock.now()),
        refuses=session.pins.why_not,
    )
    if isinstance(wish, InvalidRow):
        raise ConflictError(f"{deployment_id} cannot be pinned to {asked.revision}: {wish.reason}")
    return details
