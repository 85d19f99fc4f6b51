"""Files, catalogs and runs for the tests of governance, and what a file means, said in the shortest way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from lambdas.lake.apply.applying import Applying
from lambdas.lake.model.governance.grants import Grant
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.policy import ALL, Approval, Persona, PiiClass, Policy, Record, Rule, matches
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.patience import Patience
from lambdas.lake.store.plans import Applied
from tests.unit.lambdas.lake.fakes import ACCOUNT, FakeLake

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TODAY = "2026-11-28"
CLASSES = (PiiClass(name="contact", columns=("*.*.email", "*.*.phone")), PiiClass(name="place", columns=("d1.*.zip",)))
DATABASES, TABLES, COLUMNS = ("d1", "d2"), ("t1", "t2", "u1"), ("amount", "email", "id", "phone", "zip")
PRINCIPALS = ("role/a", "role/team/b", "user/c")


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{name}"


def record(name: str, *classes: str, valid_until: str = "2027-01-01") -> Record:
    return Record(
        name=name,
        classes=classes,
        purpose="lost property",
        legal_basis="contract",
        recipients=("customer service",),
        retention="90 days",
        owner="privacy@example.com",
        valid_until=valid_until,
    )


RECORDS = (
    record("contact", "contact"),
    record("both", "contact", "place"),
    record("expired", "contact", "place", valid_until="2026-11-27"),
)
_patterns = st.lists(st.sampled_from(("*", "t*", "t1", "u1")), min_size=1, max_size=2, unique=True).map(tuple)
_databases = st.lists(st.sampled_from(("*", "d1", "d*2")), min_size=1, max_size=2, unique=True).map(tuple)
_words = st.lists(st.sampled_from(("SELECT", "INSERT", "ALTER", "DESCRIBE", ALL)), min_size=1, max_size=2, unique=True)
_plain = st.builds(
    Rule,
    databases=_databases,
    tables=_patterns,
    permissions=_words.map(tuple),
    exclude_pii=st.booleans(),
    record=st.sampled_from(("", "contact", "both", "expired")),
    grantable=st.booleans(),
)
_narrow = st.builds(
    Rule,
    databases=_databases,
    tables=_patterns,
    permissions=st.just(("SELECT",)),
    include=st.sampled_from(((), ("*m*",), ("id", "zip"))),
    exclude=st.sampled_from(((), ("e*",), ("amount",))),
    rows=st.sampled_from(("", "id IN (1, 2)")),
    record=st.sampled_from(("", "contact", "both")),
)
_on_databases = st.builds(Rule, databases=_databases, permissions=st.sampled_from(((ALL,), ("CREATE_TABLE",))))
rules = st.lists(_plain | _narrow | _on_databases, min_size=1, max_size=3).map(tuple)


@st.composite
def policies(draw: st.DrawFn, *, remove: bool = True) -> Policy:
    """A file; nothing is to be approved, and with `remove` what others grant is revoked."""
    names = draw(st.lists(st.sampled_from(PRINCIPALS), min_size=1, max_size=3, unique=True))
    personas = [Persona(name=f"p{it[-1]}", principals={ACCOUNT: (it,)}, rules=draw(rules)) for it in names]
    return Policy(
        prefix="granary",
        personas=tuple(personas),
        classes=CLASSES,
        records=RECORDS,
        use_tags=draw(st.booleans()),
        remove_foreign=remove,
        remove_iam_allowed=remove,
        approval=Approval(pii_gains=False, revokes=False, shrinkage_percent=100),
    )


def meant(policy: Policy, lake: FakeLake, principal: str, database: str, table: str) -> set[str]:
    """What a file lets a principal do on a table, column by column."""
    found: set[str] = set()
    mine = [it for persona in policy.personas if principal in persona.principals[ACCOUNT] for it in persona.rules]
    for rule in (it for it in mine if matches(it.databases, database) and matches(it.tables, table)):
        found |= {f"[{word}]" for word in rule.wanted if word not in ("SELECT", "DESCRIBE")}
        its = policy.record.get(rule.record)
        valid = set(its.classes) if its and its.valid_until >= TODAY and not rule.exclude_pii else set()
        for column in lake.databases[database][table] if "SELECT" in rule.wanted else ():
            chosen = matches(rule.include or ("*",), column) and not matches(rule.exclude, column)
            if chosen and set(policy.classes_of(database, table, column)) <= valid:
                found.add(f"{column} where {rule.rows}" if rule.rows else column)
    return found


class FakePlans:
    """The plans and the ledger of one place, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Plan] = {}
        self.newest: Plan | None = None
        self.grants: frozenset[Grant] = frozenset()
        self.holder = ""
        self.applied: list[Applied] = []

    def keep(self, plan: Plan, page: str) -> None:
        assert page.startswith("# Permissions")
        self.newest = Plan.from_json(plan.to_json())
        self.kept[plan.digest] = self.newest

    def read(self, digest: str) -> Plan:
        return self.kept[digest]

    def last(self) -> Plan | None:
        return self.newest

    def ours(self) -> frozenset[Grant]:
        return self.grants

    def write_ours(self, grants: frozenset[Grant], *, run: str) -> None:
        assert run == self.holder
        self.grants = grants

    def take(self, run: str) -> None:
        if self.holder not in ("", run):
            raise GranaryError("another run applies a plan")
        self.holder = run

    def release(self, applied: Applied) -> None:
        self.holder = ""
        self.applied.append(applied)


class FakeSts:
    """Lets everybody in, and remembers which role was asked for and what it was narrowed to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def assume_role(self, *, RoleArn: str, Policy: str, **_: Any) -> dict[str, Any]:
        self.asked.append((RoleArn, Policy))
        return {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}


def governance(policy: Policy, lake: FakeLake, plans: Any) -> Governance:
    return Governance(
        policy=policy,
        account=ACCOUNT,
        region="eu-west-1",
        sts=FakeSts(),
        plans=plans,
        clock=lambda: NOW,
        make_client=lambda *_, **__: lake,
        patience=Patience(pause=lambda _: None),
    )


def applying(policy: Policy, lake: FakeLake, plans: Any, *, in_time: Callable[[], bool] = lambda: True) -> Applying:
    return Applying(governance=governance(policy, lake, plans), run="run-1", in_time=in_time)
