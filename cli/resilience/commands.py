"""What the commands of experiments do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from cli.common.errors import NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.common.session import Session
from config.models.resilience import Section
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.partitions import partition_of
from lambdas.common.pipeline_jobs import ask
from lambdas.common.versioned_json import plain
from lambdas.resilience.model.attempt import BY_HAND, Attempt
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.model.plan import Chaos, Experiment, Mode, RingPlan
from lambdas.resilience.model.template import template_of
from lambdas.resilience.model.tenant import Past, Tenant
from lambdas.resilience.store.attempts import AttemptsTable

_POLL_SECONDS = 2


def list_rings(session: Session, output: Output) -> None:
    """List what is configured."""
    section, lines = _section(session), list[str]()
    chaos, demanded = section.chaos(), section.demanded
    for ring in section.rings:
        plan = chaos.rings.get(ring.name)
        told = [plan.does] if plan else []
        told += [f"probes {', '.join(one.name for one in plan.probes)}"] if plan and plan.probes else []
        told += [f"demands {', '.join(demanded[ring.name])}"] if ring.name in demanded else []
        lines.append(f"ring {ring.name:<16} {'; '.join(told)}")
    for one in chaos.experiments.values():
        actions = ", ".join(fault.action for fault in one.faults)
        lines.append(f"experiment {one.name:<24} {one.duration_minutes} min: {actions}")
    output.result({**plain(chaos), "demands": demanded}, lines)


def show(session: Session, output: Output, *, experiment: str) -> None:
    """Show the template of a tenant that is named by the words in braces."""
    chaos = _section(session).chaos()
    known = _known(chaos, experiment)
    moment = stamp(clock.now())
    sample = Attempt(
        id="{attempt}",
        deployment="{id}",
        type="{type}",
        account="{account}",
        region="{region}",
        plan=RingPlan(mode=Mode.RUN, experiment=known),
        began=moment,
        since=moment,
        until=moment,
    )
    role = _names(session).workload_role_arn("experiment", account="{account}", region=session.region)
    output.data(template_of(sample, known, role=role, partition=partition_of(session.region)))


def dry_run(session: Session, output: Output, *, tenant: str, experiment: str) -> Exit:
    """Have the function go through a dry run."""
    _section(session)
    client, function = session.client("lambda"), _names(session).chaos_function
    given = {"deployment": tenant, "experiment": experiment, "attempt": f"{BY_HAND}{uuid4()}"}
    while token := (answer := ask(function, {"dry_run": given}, client)).get("token"):
        output.say("it goes on")
        given["token"] = token
        time.sleep(_POLL_SECONDS)
    output.answer({**given, **answer}, said=str(answer["said"]))
    return Exit.OK if answer["passes"] else Exit.WRONG


def history(session: Session, output: Output, *, tenant: str, limit: int) -> Exit:
    """List attempts."""
    _section(session)
    table = AttemptsTable(client=session.client("dynamodb"), table=_names(session).attempts_table)
    found: list[tuple[str, Past]] = []
    unread = False
    for one in [table.get(tenant)] if tenant else table.all():
        if isinstance(one, UnreadableError):
            output.say(str(one))
            unread = True
        else:
            found += ((one.id, attempt) for attempt in _attempts(one))
    if not (found or unread):
        output.say(f"nothing has been tried {f'at {tenant}' if tenant else 'yet'}")
    shown = sorted(found, key=lambda entry: entry[1].began, reverse=True)[:limit]
    output.result([{"deployment": name, **plain(one)} for name, one in shown], [_line(*one) for one in shown])
    return Exit.WRONG if unread else Exit.OK


def _attempts(tenant: Tenant) -> Iterator[Past]:
    yield from tenant.past
    if tenant.attempt:
        yield Past.of(tenant.attempt)


def _line(deployment: str, one: Past) -> str:
    what = " ".join(filter(None, (one.mode, one.experiment, one.ring and f"ring {one.ring}", one.revision)))
    return f"{one.began[:19]} {deployment} {one.outcome or 'goes on'} {what}  {one.reason}".rstrip()


def _section(session: Session) -> Section:
    section: Any = session.configuration.rooms.get("resilience")
    if not isinstance(section, Section):
        raise NotFoundError(
            "the room resilience is off: copy config/examples/all/resilience.yaml to config/resilience.yaml"
        )
    return section


def _known(chaos: Chaos, name: str) -> Experiment:
    if name not in chaos.experiments:
        raise NotFoundError(f"there is no experiment {name}: `granary chaos list` shows them")
    return chaos.experiments[name]


def _names(session: Session) -> ResilienceNames:
    return ResilienceNames(prefix=session.configuration.toolchain.prefix)
