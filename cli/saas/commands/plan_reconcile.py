"""`plan reconcile`: what the next round of the sweep would do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

from cli.common.output import Output
from cli.saas.reconcile import Intent, intents
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.contract import usable
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import sort_out
from lambdas.saas.model.wishes import read_wishes
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.same_releases import SameReleases
from lambdas.saas.store.standing_pipelines import without_pipeline
from lambdas.saas.sweep.brake import Brake, told
from lambdas.saas.sweep.decide import Round


def plan_reconcile(session: SaasSession, output: Output) -> None:
    """Show every deployment that something would be done about; nothing is changed."""
    lifecycle = session.configuration.toolchain.lifecycle
    statuses, unreadable = sort_out(session.statuses.all())
    now, refuses = clock.now(), cache(session.why_no_pin)
    read, spoilt = read_wishes(session.deployments.rows(), statuses, session.policy, now=stamp(now), refuses=refuses)
    wishes = {name: wish for name, wish in read.items() if name not in unreadable}
    claims = {one for status in statuses.values() for one in (status.claiming_build, status.pending_build) if one}
    builds = ProvisioningBuilds(
        client=session.client("codebuild"), project=session.names.provisioning_project, releases_bucket=""
    )
    seen = Round(
        now=now,
        ended_builds=builds.ended(claims),
        retire_removed=lifecycle.on_row_removed == "retire",
        lost=without_pipeline(statuses.values(), session.pipelines),
    )
    if release := _current(session):
        same = SameReleases(runs=_runs(session)).revisions(release, statuses.values())
        seen = replace(seen, revision=release.revision, same=same)
    if held := Brake(percent=lifecycle.max_removed_percent).holds({*read, *spoilt}, statuses.values(), seen):
        output.say(told(held))
        seen = replace(seen, retire_removed=False)
    known = {name: status for name, status in statuses.items() if name not in spoilt}
    found, failed = intents(wishes, known, seen=seen)
    output.result([intent.document() for intent in found], (intent.line() for intent in found))
    for one in {**spoilt, **unreadable, **failed}.values():
        output.say(str(one))
    output.say(_summary(found, len({*statuses, *wishes})))


def _runs(session: SaasSession) -> RunsTable:
    return RunsTable(client=session.client("dynamodb"), name=session.names.releases_table)


def _current(session: SaasSession) -> Release | None:
    kept = _runs(session).release
    parameter = ReleaseParameter(client=session.client("ssm"), name=session.names.release_parameter, kept=kept)
    try:
        return usable(parameter.current())
    except NotReleasedError:
        return None


def _summary(found: list[Intent], total: int) -> str:
    counts = Counter(intent.action for intent in found)
    told = ", ".join(f"{action}: {count}" for action, count in counts.most_common()) or "nothing to do"
    return f"{total} deployments; {told}"
