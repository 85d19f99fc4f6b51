"""`repair ID` and `repair --release`: what cannot be read is written anew from what can."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress

import typer

from cli.common.errors import ConflictError, NotFoundError, UsageError
from cli.common.output import Output
from cli.saas.commands.release import desk_of
from cli.saas.releases import ReleaseDesk
from cli.saas.repair import Item, Repair, maybe_builds, repair_of, why_not_now
from cli.saas.session import SaasSession
from lambdas.common import clock, dynamo
from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import NotReleasedError, UnreadableError
from lambdas.common.written import cut
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Status, Unreadable
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.release_parameter import REPAIR, BadReleaseError, ReleaseParameter


def repair_status(session: SaasSession, output: Output, *, deployment_id: str, sure: bool) -> None:
    """Write a status anew that cannot be read, after showing what of it is lost.

    Raises:
        NotFoundError: there is none.
        ConflictError: it can be read, somebody is at work on the deployment, or it changed meanwhile.
    """
    repair = repair_of(_unreadable_item(session, deployment_id))
    if refusal := _refusal(session, repair):
        raise ConflictError(f"the status of {deployment_id} is not repaired now: {refusal}")
    consent(output, repair.lines(), f"Repair the status of {deployment_id}?", sure=sure)
    if not _write(session, repair):
        raise ConflictError(f"the status of {deployment_id} changed meanwhile: run this again")
    step = "the next round of the sweep sees to the deployment"
    output.answer(repair.document(), said=f"the status of {deployment_id} is repaired: {step}.")


def _unreadable_item(session: SaasSession, deployment_id: str) -> Item:
    found = session.client("dynamodb").get_item(
        TableName=session.names.status_table, Key={"id": {"S": deployment_id}}, ConsistentRead=True
    )
    item: Item | None = found.get("Item")
    if item is None:
        raise NotFoundError(
            f"{deployment_id} has no status: if it has a row, the next round of the sweep takes that up"
        )
    status = Status.from_item(dynamo.read_item(item))
    if not isinstance(status, Unreadable):
        step = f"`granary status {deployment_id}` tells what to do about the deployment"
        raise ConflictError(f"the status of {deployment_id} can be read, so there is nothing to repair: {step}")
    if status.fault:
        raise ConflictError(str(status))
    return item


def _refusal(session: SaasSession, repair: Repair) -> str:
    builds = ProvisioningBuilds(
        client=session.client("codebuild"), project=session.names.provisioning_project, releases_bucket=""
    )
    maybe = {one for one in maybe_builds(repair) if builds.owns(one)}
    running = maybe - builds.ended(maybe)
    run = None
    with suppress(UnreadableError):  # nobody goes on with a run that cannot be read
        run = desk_of(session).current()
    return why_not_now(repair, running=running, run=run, now=clock.now())


def _write(session: SaasSession, repair: Repair) -> bool:
    """Write what is repaired over what was seen; False when it is another by now."""
    compared = {name: value for name, value in repair.seen.items() if name in Status.__dataclass_fields__}
    names = {f"#n{index}": name for index, name in enumerate(compared)}
    conditions = [f"{alias} = :{alias[1:]}" for alias in names]
    if "updated_at" not in compared:
        names["#changed"] = "updated_at"
        conditions.append("attribute_not_exists(#changed)")
    with ignoring("ConditionalCheckFailedException"):
        session.client("dynamodb").put_item(
            TableName=session.names.status_table,
            Item=repair.repaired(clock.now()),
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":n{index}": value for index, value in enumerate(compared.values())},
        )
        return True
    return False


def repair_release(session: SaasSession, output: Output, *, sure: bool) -> None:
    """Mend what says which release there is: the parameter, and the item that says which run is in force.

    Raises:
        NotFoundError: no release is through that the parameter could name.
        ConflictError: both can be read, and the parameter names a release that is kept.
    """
    desk, ssm, name = desk_of(session), session.client("ssm"), session.names.release_parameter
    why = _why_wrong(ReleaseParameter(client=ssm, name=name, kept=desk.runs.release), desk)
    spoilt = _spoilt_current(desk)
    if not why and not spoilt:
        raise ConflictError(f"{name} holds a release, and the run in force can be read: there is nothing to repair")
    chosen = _newest_through(desk, why) if why else None
    lines = [why, spoilt]
    if chosen:
        lines.append(f"{name} is written anew: release {chosen.revision}, the newest that SUCCEEDED")
    if spoilt:
        lines.append("the item is removed: no run is in force then, and the next release comes into force")
    consent(output, list(filter(None, lines)), "Do that?", sure=sure)
    if chosen:
        ssm.put_parameter(Name=name, Value=chosen.to_json(), Type="String", Overwrite=True)
    if spoilt:
        desk.forget_current()
    document = {"parameter": name, "revision": chosen.revision if chosen else "", "current_removed": bool(spoilt)}
    step = (
        "the next round of the sweep takes up what waits" if chosen else "`granary release` starts the newest release"
    )
    output.answer(document, said=f"{lines[-1]}: done; {step}.")


def _why_wrong(parameter: ReleaseParameter, desk: ReleaseDesk) -> str:
    """What is wrong with the parameter; empty when it holds a release that is kept, or of which that cannot be read."""
    try:
        revision = parameter.current().revision
    except BadReleaseError as error:
        return str(error).removesuffix(f": run {REPAIR}")
    except NotReleasedError:
        return f"there is no parameter {parameter.name}"
    with suppress(UnreadableError):
        if desk.runs.release(revision) is None:
            return f"{parameter.name} names release {cut(revision)}, and the releases table keeps none of that revision"
    return ""


def _spoilt_current(desk: ReleaseDesk) -> str:
    try:
        desk.runs.current()
    except UnreadableError as error:
        return str(error).split(": if ")[0]
    return ""


def _newest_through(desk: ReleaseDesk, why: str) -> Release:
    found = max(_through(desk), key=lambda one: one.published_at, default=None)
    if found is None:
        step = "push the source; the parameter is written when that is through"
        raise NotFoundError(f"{why}, and no release is known that SUCCEEDED: {step}")
    return found


def _through(desk: ReleaseDesk) -> Iterator[Release]:
    """Every release of which a run has SUCCEEDED; what cannot be read is passed over."""
    revisions = {run.revision for run in desk.all_runs() if run.state == RunState.SUCCEEDED}
    return (release for release in desk.published() if release.revision in revisions)


def consent(output: Output, lines: list[str], question: str, *, sure: bool) -> None:
    """Show what is to be done, and ask whether it is to be.

    Raises:
        UsageError: there is nobody to ask.
    """
    for line in lines:
        output.say(line)
    if sure:
        return
    if output.as_json or not sys.stdin.isatty():
        raise UsageError("nothing was changed: say --yes to have that done")
    typer.confirm(question, abort=True, err=True)
