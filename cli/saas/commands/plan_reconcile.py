"""`plan reconcile`: what the next round of the sweep would do."""

from __future__ import annotations

from collections import Counter

from cli.common.output import Output
from cli.saas.reconcile import Intent, intents
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.status import sort_out
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.sweep.decide import Round


def plan_reconcile(session: SaasSession, output: Output) -> None:
    """Show every deployment that something would be done about; nothing is changed."""
    statuses, unreadable = sort_out(session.statuses.all())
    rows = [row for row in session.deployments.rows() if row["id"] not in unreadable]
    claims = {status.claiming_build for status in statuses.values() if status.claiming_build}
    builds = ProvisioningBuilds(
        client=session.client("codebuild"), project=session.names.provisioning_project, releases_bucket=""
    )
    seen = Round(
        now=clock.now(),
        ended_builds=builds.ended(claims),
        revision=_revision(session),
        retire_removed=session.configuration.toolchain.lifecycle.on_row_removed == "retire",
    )
    found = intents(rows, statuses, policy=session.policy, seen=seen)
    output.result([intent.document() for intent in found], (intent.line() for intent in found))
    for one in unreadable.values():
        output.say(str(one))
    output.say(_summary(found, len({*statuses, *(str(row["id"]) for row in rows)})))


def _revision(session: SaasSession) -> str:
    parameter = ReleaseParameter(client=session.client("ssm"), name=session.names.release_parameter)
    try:
        return parameter.current().revision
    except NotReleasedError:
        return ""


def _summary(found: list[Intent], total: int) -> str:
    counts = Counter(intent.action for intent in found)
    told = ", ".join(f"{action}: {count}" for action, count in counts.most_common()) or "nothing to do"
    return f"{total} deployments; {told}"
