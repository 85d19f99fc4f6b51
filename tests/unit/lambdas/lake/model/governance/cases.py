"""A small catalog and a file for it."""

from __future__ import annotations

from typing import Any

from lambdas.lake.model.governance.grants import Grant
from lambdas.lake.model.governance.observation import Observation, Table
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.planning import Planned, make_plan
from lambdas.lake.model.governance.policy import Persona, Policy, Rule
from tests.unit.lambdas.lake.fakes import ACCOUNT
from tests.unit.lambdas.lake.worlds import CLASSES, RECORDS, TODAY, arn

CUSTOMERS = Table(database="d1", name="customers", columns=("id", "email", "zip"))
ORDERS = Table(database="d1", name="orders", columns=("id", "amount"))
READ = Rule(databases=("d1",), tables=("*",), permissions=("SELECT",))
ANALYST = arn("role/analyst")


def seen(*tables: Table, **more: Any) -> Observation:
    tables = tables or (CUSTOMERS, ORDERS)
    databases = tuple(sorted({it.database for it in tables}))
    return Observation(catalog=ACCOUNT, region="eu-west-1", databases=databases, tables=tables, **more)


def policy(*rules: Rule, **more: Any) -> Policy:
    analyst = Persona(name="analyst", principals={ACCOUNT: ("role/analyst",)}, rules=rules)
    return Policy(prefix="granary", **{"personas": (analyst,), "classes": CLASSES, "records": RECORDS, **more})


def planned(
    file: Policy, look: Observation, ours: frozenset[Grant] = frozenset(), *, last: Plan | None = None
) -> Planned:
    return make_plan(file, look, ours, partition="aws", today=TODAY, last=last)


def plan(file: Policy, look: Observation, ours: frozenset[Grant] = frozenset(), *, last: Plan | None = None) -> Plan:
    return planned(file, look, ours, last=last).plan
