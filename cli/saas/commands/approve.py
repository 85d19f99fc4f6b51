"""`approve` and `reject`: answering a ring that waits."""

from __future__ import annotations

from cli.common.errors import ConflictError
from cli.common.output import Output
from cli.saas.approval import Answer, Approvals
from cli.saas.commands.release import desk_of
from cli.saas.runs import waiting_ring
from cli.saas.session import SaasSession
from lambdas.saas.model.runs import RunState


def answer_ring(session: SaasSession, output: Output, *, answer: Answer, ring: str, comment: str) -> None:
    """Answer the ring of the run in force that waits for an approval.

    Raises:
        ConflictError: none waits.
    """
    desk = desk_of(session)
    run = desk.current()
    if run is None or run.state != RunState.RUNNING:
        raise ConflictError("no release is under way, so none waits for an approval: see `granary release`")
    waiting = waiting_ring(desk.runs.rings(run), ring)
    Approvals(stepfunctions=desk.stepfunctions).answer(waiting, answer, by=session.caller, reason=comment)
    document = {"run": run.run, "ring": waiting.name, "answer": str(answer), "changes": list(waiting.changes)}
    output.answer(document, said=f"ring {waiting.name} of run {run.run} is {answer}.")
