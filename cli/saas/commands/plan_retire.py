"""`plan retire ID`: what a retirement would delete and keep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cli.common.errors import NotFoundError
from cli.common.output import Output
from cli.saas.retirement import Retirement, plan_retirement
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.saas.model.status import Status


def plan_retire(session: SaasSession, output: Output, *, deployment_id: str) -> None:
    """Show the plan; nothing is changed."""
    plan = retirement_of(session, deployment_id)
    if output.as_json:
        output.data(plan.document())
    else:
        output.lines(plan.lines())


def retirement_of(session: SaasSession, deployment_id: str) -> Retirement:
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


def _others(session: SaasSession, status: Status) -> Any:
    # Only a support stack may have other users.
    return session.statuses.all() if status.support_stacks else ()
