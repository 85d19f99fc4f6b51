"""Who may read what: plans are made and applied by the governance machine; the catalog is read here."""

from __future__ import annotations

import json
from uuid import uuid4

from cli.common.errors import ConflictError, NotFoundError, UsageError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.lake.session import LakeSession
from config.models.lake import Environment
from lambdas.common import clock
from lambdas.common.partitions import partition_of
from lambdas.common.versioned_json import plain
from lambdas.lake.apply.applying import approval_of
from lambdas.lake.model.governance.access import Access, Words, access, spoken, what_can, who_can
from lambdas.lake.model.governance.desired import arns
from lambdas.lake.model.governance.grants import identity
from lambdas.lake.model.governance.observation import Observation
from lambdas.lake.model.governance.page import page
from lambdas.lake.model.governance.policy import Policy
from lambdas.lake.model.names import GovernanceNames
from lambdas.lake.store.catalog import Catalog
from lambdas.lake.store.plans import Plans

_TABLE, _COLUMN = 2, 3  # parts of a name
_SHOWN = 12  # digits by which a plan is known


def show_last(session: LakeSession, output: Output, *, environment: str) -> Exit:
    """Show the last plan as people read it; one that asks for approval or could not see all is not as it should be."""
    plans = _plans(session, session.environment(environment))
    last = plans.last()
    if last is None:
        raise NotFoundError(f"there is no plan for {plans.place}: make one with `granary lake plan {environment}`")
    before = plans.read(last.previous) if last.previous else None
    output.result(plain(last) | {"digest": last.digest}, page(last, _policy(session), before).splitlines())
    return Exit.WRONG if last.approvals or last.unseen else Exit.OK


def plan(session: LakeSession, output: Output, *, environment: str) -> None:
    """Have the governance machine make a plan, and apply it unless there is something to be approved."""
    session.permissions  # noqa: B018 - refuses where there are none
    _start(
        session,
        output,
        session.environment(environment),
        "a plan is being made, and applied if nobody has to approve it",
    )


def apply(session: LakeSession, output: Output, *, digest: str) -> None:
    """Have the governance machine apply a plan that the caller approves: the last one of a catalog, and no other."""
    session.permissions  # noqa: B018 - refuses where there are none
    catalogs = {(one.account, one.region): one for one in session.lake.environments}.values()
    lasts = [(one, found) for one in catalogs if (found := _plans(session, one).last())]
    # What a variable without a value gives is the beginning of every digest.
    chosen = [(one, found) for one, found in lasts if len(digest) >= _SHOWN and found.digest.startswith(digest)]
    if len(chosen) != 1:
        known = "; ".join(f"{found.digest} of {one.account}, {one.region}" for one, found in lasts) or "none"
        raise ConflictError(
            f"{digest!r} is not a last plan, nor {_SHOWN} digits of one. There are: {known}. Read it with `granary "
            "lake plan ENVIRONMENT --last`, and apply that"
        )
    ((place, found),) = chosen
    _start(session, output, place, f"plan {found.digest[:_SHOWN]} is being applied", plan=found.digest)


def _start(session: LakeSession, output: Output, place: Environment, what: str, **approved: str) -> None:
    given = {"account": place.account, "region": place.region, **approved}
    proof = {"proof": session.proof(approval_of(given))} if approved else {}
    answer = session.client("stepfunctions").start_execution(
        stateMachineArn=session.machine_arn(_names(session).governance),
        name=f"by-hand-{uuid4()}",
        input=json.dumps({**given, **proof}, sort_keys=True),
    )
    arn = answer["executionArn"]
    said = f"{what} ({place.account}, {place.region}): aws stepfunctions describe-execution --execution-arn {arn}"
    output.answer({**given, "execution": arn}, said=said)


def who(session: LakeSession, output: Output, *, place: str, environment: str) -> Exit:
    """Tell who has rights on a table, or reads a column."""
    database, table, column = (*place.split("."), "", "")[:_COLUMN]
    if not table or place.count(".") >= _COLUMN:
        raise UsageError(f"{place} is no table: write <database>.<table>, or <database>.<table>.<column>")
    seen, rights = _seen(session, output, session.catalog_of(environment))
    columns = {(one.database, one.name): one.columns for one in seen.tables}.get((database, table))
    if columns is None or (column and column not in columns):
        raise NotFoundError(f"there is no {place} in the catalog of {seen.catalog}, {seen.region}")
    found = who_can(rights, database, table, column)
    output.result(
        {principal: sorted(words) for principal, words in found.items()},
        [f"{principal}: {spoken(words, columns)}" for principal, words in sorted(found.items())],
    )
    output.say(f"{len(found)} principals")
    return _whole(seen)


def what(session: LakeSession, output: Output, *, principal: str, environment: str) -> Exit:
    """Tell what a role or user may do."""
    place = session.catalog_of(environment)
    prefix = f"arn:{partition_of(place.region)}:iam::{place.account}:"
    name = identity(principal if principal.startswith("arn:") else f"{prefix}{principal}")
    seen, rights = _seen(session, output, place)
    spelt = {it for it, *_ in rights if identity(it) == name}
    found: dict[tuple[str, str], Words] = {}
    for one in spelt:
        found |= what_can(rights, one)
    columns = {(one.database, one.name): one.columns for one in seen.tables}
    output.result(
        [{"database": where[0], "table": where[1], "rights": sorted(words)} for where, words in sorted(found.items())],
        [
            f"{'.'.join(filter(None, where))}: {spoken(words, columns.get(where, ()))}"
            for where, words in sorted(found.items())
        ],
    )
    output.say(f"rights in {len(found)} places")
    return _whole(seen)


def list_records(session: LakeSession, output: Output) -> Exit:
    """List the records with the rules that name them."""
    policy, today = _policy(session), clock.now().date().isoformat()
    told, lines, expired = [], [], False
    for one in policy.records:
        users = [
            f"{persona.name}, rule {number}"
            for persona in policy.personas
            for number, rule in enumerate(persona.rules, 1)
            if rule.record == one.name
        ]
        over = one.valid_until < today
        expired = expired or over
        told.append({**plain(one), "expired": over, "rules": users})
        lines.append(
            f"{one.name:<24} {'EXPIRED' if over else 'valid'} until {one.valid_until}; {', '.join(one.classes)}; "
            f"{one.purpose} ({one.legal_basis}); {one.owner}; {'; '.join(users) or 'no rule names it'}"
        )
    output.result(told, lines)
    return Exit.WRONG if expired else Exit.OK


def _policy(session: LakeSession) -> Policy:
    return session.permissions.policy(session.configuration.toolchain.prefix)


def _names(session: LakeSession) -> GovernanceNames:
    return GovernanceNames(prefix=session.configuration.toolchain.prefix)


def _plans(session: LakeSession, place: Environment) -> Plans:
    names = _names(session)
    return Plans(
        s3=session.client("s3"),
        dynamodb=session.client("dynamodb"),
        bucket=names.plans_bucket(session.account, session.region),
        table=names.governance,
        place=f"{place.account}/{place.region}",
        clock=clock.now,
    )


def _seen(session: LakeSession, output: Output, place: Environment) -> tuple[Observation, Access]:
    """The catalog as it is now, and what its grants come to."""
    policy = _policy(session)
    partition = partition_of(place.region)
    named = [it for one in policy.personas for it in arns(one.principals, account=place.account, partition=partition)]
    seen = Catalog(
        glue=session.lake_client(place, "glue"),
        lakeformation=session.lake_client(place, "lakeformation"),
        catalog=place.account,
        region=place.region,
        reader=_role(str(session.identity["Arn"])),
        prefix=policy.prefix,
        spelling={identity(arn): arn for arn in named},
    ).observe()
    for told in seen.unseen:
        output.say(f"not everything could be looked at: {told}")
    return seen, access(seen.tables, seen.grants, tags=seen.tags, filters=seen.filters)


def _whole(seen: Observation) -> Exit:
    return Exit.OK if seen.complete else Exit.UNREACHABLE


def _role(arn: str) -> str:
    """The role of a session, as administrators of a data lake are named."""
    head, slash, rest = arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}" if slash else arn
