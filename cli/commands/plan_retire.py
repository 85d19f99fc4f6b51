"""`plan retire ID`: what a retirement would delete and keep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cli.errors import NotFoundError
from cli.render.output import Output
from cli.retirement import Retirement, plan_retirement
from cli.session import Session
from lambdas.common import clock
from lambdas.common.status import Status


def plan_retire(session: Session, output: Output, *, deployment_id: str) -> None:
    """Show the plan; nothing is changed."""
    plan = retirement_of(session, deployment_id)
    if output.as_json:
        output.data(plan.document())
    else:
        output.lines(plan.lines())


def retirement_of(session: Session, deployment_id: str) -> Retirement:
    """Make the plan from what is recorded of the deployment.

    Raises:
        NotFoundError: nothing is known of it.
    """
    status = session.statuses.get(deployment_id)
    if status is None:
        raise NotFoundError(f"nothing is known of {deployment_id}, so nothing would be deleted")
    lifecycle = session.configuration.toolchain.lifecycle
    return plan_retirement(
        status,
        _others(session, status),
        grace=timedelta(hours=lifecycle.grace_hours),
        archive=lifecycle.archive,
        now=clock.now(),
    )


def _others(session: Session, status: Status) -> Any:
    # Only a support stack may have other users.
    return session.statuses.all() if status.support_stacks else ()
