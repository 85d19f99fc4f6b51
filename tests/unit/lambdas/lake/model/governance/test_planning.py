"""Plans: what is done and why, what is refused, what is to be approved, and when a plan is stale."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.lake.model.governance.access import access, spoken, what_can, who_can
from lambdas.lake.model.governance.grants import Grant, Kind, closed
from lambdas.lake.model.governance.observation import Observation, Table
from lambdas.lake.model.governance.page import page
from lambdas.lake.model.governance.plan import Plan, StaleError, differences, remaining
from lambdas.lake.model.governance.policy import EVERYBODY, Approval, Persona, PiiClass, Rule
from tests.unit.lambdas.lake.fakes import ACCOUNT
from tests.unit.lambdas.lake.model.governance.cases import (
    ANALYST,
    CUSTOMERS,
    ORDERS,
    READ,
    plan,
    planned,
    policy,
    seen,
)

_SELECT = Grant(principal=ANALYST, kind=Kind.TABLE, permission="SELECT", database="d1", table="orders")
_CONTACT = replace(READ, record="contact")
_NAMED: dict[str, Any] = {"use_tags": False}


def _after(made: Plan, look: Observation) -> Observation:
    """The catalog once a plan is applied."""
    tags: dict[tuple[str, str, str], dict[str, str]] = {it: dict(its) for it, its in look.tags.items()}
    for tagging in made.tags:
        for place, key, value in tagging.places:
            tags.setdefault(place, {})[key] = value
    values = {it.key: frozenset(it.values) | look.tag_values.get(it.key, frozenset()) for it in made.values}
    return replace(
        look,
        grants=(look.grants - {it.grant for it in made.revokes}) | {it.grant for it in made.grants},
        tags=tags,
        tag_values={**look.tag_values, **values},
    )


def test_personal_data_without_a_record_are_refused_and_all_else_is_granted() -> None:
    made = plan(policy(READ), seen())
    (refused,) = made.refused
    assert (refused.persona, refused.tables, refused.columns) == ("analyst", ("customers",), ("email", "zip"))
    assert refused.reason == "personal data (contact, place) without a record of processing: name one, or exclude_pii"
    assert [(it.tables, it.gained) for it in made.changes] == [
        (("orders",), "all columns; [DESCRIBE]"),
        (("customers",), "id; [DESCRIBE]"),
    ]
    assert not made.approvals
    assert not plan(policy(replace(READ, exclude_pii=True)), seen()).refused


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("expired", "record expired was valid until 2026-11-27: its owner privacy@example.com renews it"),
        ("none", "for record none, which there is not: write it"),
        ("contact", "record contact is not about place: add the class to it, or name another record"),
    ],
)
@pytest.mark.parametrize("use_tags", [True, False])
def test_a_record_that_does_not_count_is_told(record: str, told: str, use_tags: bool) -> None:
    made = plan(policy(replace(READ, record=record), use_tags=use_tags), seen())
    assert told in made.refused[0].reason


@pytest.mark.parametrize("column", ["Email", "EMAIL", "of the\nsender.email"])
def test_personal_data_are_known_however_a_column_is_written(column: str) -> None:
    look = seen(Table(database="d1", name="letters", columns=("id", column)))
    made = plan(policy(READ), look)
    assert [it.columns for it in made.refused] == [(column,)]
    assert [it.gained for it in made.changes] == ["id; [DESCRIBE]"]


def test_what_schemas_declare_is_personal_data_as_well() -> None:
    file = policy(replace(READ, record="both")).with_pii({"payment": ["*.orders.amount"], "contact": ["d1.*.id"]})
    assert [it.name for it in file.classes] == ["contact", "place", "payment"]
    assert file.classes_of("d1", "orders", "id") == ("contact",)
    (refused,) = plan(file, seen()).refused
    assert (refused.tables, refused.columns) == (("orders",), ("amount",))
    assert refused.reason == "record both is not about payment: add the class to it, or name another record"


def test_a_record_counts_on_its_last_day() -> None:
    file = policy(replace(READ, record="both"))
    file = replace(file, records=tuple(replace(it, valid_until="2026-11-28") for it in file.records))
    assert not plan(file, seen()).refused


def test_who_gains_personal_data_is_approved_by_a_person() -> None:
    first = planned(policy(READ), seen())
    then = plan(policy(_CONTACT), _after(first.plan, seen()), first.ours)
    assert then.approvals == (f"{ANALYST} (analyst) gains personal data of class contact: d1.customers.email",)
    assert [(it.tables, it.gained, it.lost) for it in then.changes] == [(("customers",), "email", "")]
    assert not then.tags
    assert len(then.grants) == len(then.revokes) == 1
    assert not plan(
        policy(_CONTACT, approval=Approval(pii_gains=False)), _after(first.plan, seen()), first.ours
    ).approvals


def test_a_record_that_expires_takes_away_what_it_gave() -> None:
    first = planned(policy(_CONTACT), seen())
    expired = policy(replace(READ, record="expired"), approval=Approval(shrinkage_percent=100))
    then = plan(expired, _after(first.plan, seen()), first.ours)
    assert [(it.tables, it.lost) for it in then.changes] == [(("customers",), "email")]
    assert then.approvals == (f"1 principals lose 1 rights, such as {ANALYST} (analyst)",)


def test_shrinkage_stops_for_a_person() -> None:
    first = planned(policy(READ, **_NAMED), seen())
    none = policy(approval=Approval(revokes=False, shrinkage_percent=10))
    then = plan(none, _after(first.plan, seen()), first.ours, last=replace(first.plan, tables=100))
    assert then.approvals == (
        "5 of 5 rights are taken away: more than 10 percent",
        "the catalog has 2 tables, and had 100: more than 10 percent are gone",
    )
    lenient = replace(none, approval=Approval(revokes=False, shrinkage_percent=100))
    assert not plan(lenient, _after(first.plan, seen()), first.ours).approvals


def test_what_is_implied_by_what_is_revoked_is_granted() -> None:
    select, describe = (
        replace(READ, tables=("orders",)),
        Rule(databases=("d1",), tables=("orders",), permissions=("DESCRIBE",)),
    )
    first = planned(policy(select, **_NAMED), seen())
    then = plan(policy(describe, **_NAMED), _after(first.plan, seen()), first.ours)
    assert [it.grant.permission for it in then.grants] == ["DESCRIBE"]
    assert [it.grant.permission for it in then.revokes] == ["SELECT"]


def test_a_table_that_was_made_anew_is_granted_again() -> None:
    file = policy(replace(READ, tables=("orders",)), **_NAMED)
    first = planned(file, seen())
    again = plan(file, replace(seen(replace(ORDERS, created="later"), CUSTOMERS)), first.ours)
    assert again.grants == first.plan.grants


def test_another_column_of_personal_data_is_nobodys_until_it_was_looked_at() -> None:
    for use_tags in (True, False):
        first = planned(policy(_CONTACT, use_tags=use_tags), seen())
        wider = replace(ORDERS, columns=(*ORDERS.columns, "phone"))
        there = _after(first.plan, seen(CUSTOMERS, wider))
        rights = access(there.tables, there.grants, tags=there.tags)
        assert "phone" not in rights[(ANALYST, "d1", "orders")]


def test_one_who_may_read_all_classes_gets_all_tables_at_once() -> None:
    made = plan(policy(replace(READ, record="both")), seen())
    assert [(it.grant.table, it.grant.included) for it in made.grants] == [("*", ())]
    assert not made.tags


def test_what_was_there_and_is_wanted_becomes_ours() -> None:
    file = policy(replace(READ, tables=("orders",), record="both"), **_NAMED)
    look = seen(grants=closed({_SELECT}))
    made = planned(file, look)
    assert not made.plan.grants
    assert not made.plan.drift
    assert set(made.plan.adopted) == closed({_SELECT})
    assert plan(file, look, made.ours).empty
    gone = plan(policy(), look, made.ours)
    assert {it.grant for it in gone.revokes} == closed({_SELECT})


def test_grants_that_are_gone_by_themselves_are_forgotten() -> None:
    made = planned(policy(), seen(), frozenset({_SELECT}))
    assert (made.plan.forgotten, made.ours, made.plan.empty) == (1, frozenset(), False)


def test_grants_of_others_are_reported_and_revoked_when_that_is_configured() -> None:
    foreign = seen(grants=closed({_SELECT, replace(_SELECT, principal=EVERYBODY)}), open_defaults=("tables",))
    made = plan(policy(), foreign)
    assert [it.rule for it in made.drift] == ["iam-allowed-principals", "open-defaults", "foreign-grant"]
    assert made.empty
    made = plan(policy(remove_foreign=True), foreign)
    assert {it.grant.principal for it in made.revokes} == {ANALYST}
    made = plan(policy(remove_iam_allowed=True), foreign)
    assert {it.grant.principal for it in made.revokes} == {EVERYBODY}
    made = plan(policy(remove_foreign=True, ignored={ACCOUNT: ("role/Analyst",)}), foreign)
    assert made.empty
    assert len(made.drift) == 2


def test_a_look_that_is_not_complete_revokes_nothing_and_forgets_nothing() -> None:
    first = planned(policy(READ), seen())
    partial = replace(_after(first.plan, seen()), tables=(ORDERS,), unseen=("d2",))
    then = planned(policy(), partial, first.ours)
    assert then.plan.empty
    assert then.ours == first.ours
    more = plan(policy(READ), replace(partial, tables=(ORDERS, replace(ORDERS, name="new"))), first.ours)
    assert more.tags
    assert not more.untags


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"classes": tuple(f"class-{'x' * 20}-{it}" for it in range(2))}, "has more than 50 letters"),
        ({"selections": 50}, "more than 50 tags"),
    ],
)
def test_where_tags_do_not_fit_all_is_granted_by_name(change: dict[str, Any], told: str) -> None:
    file = policy(READ)
    if names := change.get("classes"):
        both = tuple(replace(file.classes[0], name=it, columns=("*.*.email",)) for it in names)
        file = replace(file, classes=both, records=())
    else:
        several = tuple(replace(READ, tables=(f"{'*' * (it % 9)}o{'*' * (it // 9 + 1)}",)) for it in range(50))
        persona = Persona(name="many", principals={ACCOUNT: ("role/analyst",)}, rules=several)
        file = replace(file, personas=(persona,))
    made = plan(file, seen())
    assert told in made.remark
    assert not made.tags
    assert {it.grant.kind for it in made.grants} == {Kind.TABLE}


def test_where_tags_would_not_come_to_the_same_all_is_granted_by_name() -> None:
    """A class whose name reads as two others: its columns would be tagged as those that have both."""
    file = policy(replace(READ, record="both"))
    file = replace(file, classes=(*file.classes, replace(file.classes[0], name="contact+place", columns=("*.*.id",))))
    made = plan(file, seen())
    assert made.remark == "nothing is granted by tags: analyst, rule 1, record both would come to something else"
    assert {it.grant.included for it in made.grants} == {("email", "zip"), ("amount",)}
    assert not made.tags


def test_a_table_without_columns_is_no_reason_to_do_without_tags() -> None:
    file = policy(replace(READ, tables=("o*", "e*"), permissions=("SELECT", "ALTER"), record="both"))
    made = plan(file, seen(ORDERS, Table(database="d1", name="empty", columns=())))
    assert not made.remark
    assert {it.grant.kind for it in made.grants} == {Kind.TAGS}
    assert [(it.tables, it.gained) for it in made.changes] == [
        (("empty",), "[ALTER]; [DESCRIBE]"),
        (("orders",), "all columns; [ALTER]; [DESCRIBE]"),
    ]


def test_personal_data_are_left_out_for_one_who_could_read_them_too() -> None:
    for use_tags in (True, False):
        made = plan(policy(replace(READ, record="both", exclude_pii=True), use_tags=use_tags), seen())
        assert [it.gained for it in made.changes if it.tables == ("customers",)] == ["id; [DESCRIBE]"]
        assert not made.refused


def test_tags_that_a_part_of_a_table_has_let_nobody_change_it() -> None:
    tags = {("d1", "customers", "id"): {"granary-class": "none"}}
    select = Grant(principal=ANALYST, kind=Kind.TAGS, permission="SELECT", expression=(("granary-class", ("none",)),))
    insert, key = replace(select, permission="INSERT"), (ANALYST, "d1", "customers")
    assert access([CUSTOMERS], [insert], tags=tags) == {}
    assert access([CUSTOMERS], [select, insert], tags=tags) == {key: {"id", "[DESCRIBE]"}}
    whole = {("d1", "customers", ""): {"granary-class": "none"}}
    assert access([CUSTOMERS], [insert], tags=whole) == {key: {"[INSERT]"}}
    other = {**whole, ("d1", "customers", "email"): {"granary-class": "contact"}}
    assert access([CUSTOMERS], [select, insert], tags=other) == {key: {"id", "zip", "[DESCRIBE]"}}


def test_a_look_that_is_not_complete_takes_no_filter_away() -> None:
    rule = replace(READ, tables=("orders",), rows="id IN (1)")
    first = planned(policy(rule), seen())
    there = replace(_after(first.plan, seen()), filters=frozenset(first.plan.filters))
    (cells,) = first.plan.filters
    assert (cells.columns, cells.rows) == (("amount", "id"), "id IN (1)")
    assert plan(policy(), replace(there, unseen=("d2",)), first.ours).changes == ()
    gone = plan(policy(), there, first.ours)
    assert gone.dropped == (cells,)
    assert [it.lost for it in gone.changes] == ["[DESCRIBE]; amount where id IN (1); id where id IN (1)"]


def test_values_of_tags_are_given_fifty_at_a_time() -> None:
    tables = tuple(Table(database="d1", name=f"t{it}", columns=(f"c{it}",)) for it in range(60))
    file = policy(replace(READ, record="all"))
    its = tuple(replace(file.classes[0], name=f"c{it}", columns=(f"*.*.c{it}",)) for it in range(60))
    file = replace(
        file,
        classes=(*its, file.classes[1]),
        records=(replace(file.records[0], name="all", classes=tuple(it.name for it in its)),),
    )
    made = plan(file, seen(*tables))
    assert not made.remark
    assert [max(len(values) for _, values in it.grant.expression) for it in made.grants] == [50, 10]


def test_a_stale_plan_is_not_applied_and_one_that_was_begun_is_finished() -> None:
    file = policy(READ, **_NAMED)
    first = plan(file, seen())
    begun = seen(grants=closed({first.grants[0].grant}))
    left = remaining(first, plan(file, begun, closed({it.grant for it in first.grants})))
    assert left.grants == first.grants[1:]
    new = plan(file, seen(CUSTOMERS, ORDERS, replace(ORDERS, name="more")))
    with pytest.raises(
        StaleError, match=r"1 steps are needed that it does not have, such as grant .* on d1\.more \(amount, id\)"
    ):
        remaining(first, new)
    with pytest.raises(StaleError, match="the file has changed"):
        remaining(first, plan(policy(_CONTACT), seen()))


def test_plans_are_compared_by_their_steps() -> None:
    first = plan(policy(replace(READ, tables=("orders",)), **_NAMED), seen())
    step = f"grant {ANALYST}: SELECT on d1.orders (amount, id) (analyst, rule 1)"
    assert differences(first, None) == [f"+ {step}"]
    assert differences(first, first) == []
    assert differences(replace(first, grants=()), first) == [f"- {step}"]


def test_the_page_tells_a_privacy_officer_all_of_it() -> None:
    file = policy(_CONTACT)
    file = replace(file, records=(replace(file.records[0], purpose="a | b\n<c>"), *file.records[1:]))
    made = plan(file, seen(unseen=("d2",), grants=frozenset({_SELECT})))
    text = page(made, file)
    for told in (
        made.digest,
        f"- {ANALYST} (analyst) gains personal data of class contact: d1.customers.email",
        f"| {ANALYST} | analyst | d1: customers | all columns but zip; [DESCRIBE] | - |",
        "| analyst | d1: customers | zip | record contact is not about place",
        "| contact | contact | a \\| b\\n\\<c> | contract | customer service |",
        "2026-11-27 **expired**",
        "**Not everything could be looked at, so nothing is revoked:** d2",
    ):
        assert told in text


def test_this_version_reads_what_a_later_one_writes() -> None:
    made = plan(policy(_CONTACT), seen(grants=frozenset({replace(_SELECT, principal=EVERYBODY)})))
    assert Plan.from_json(made.to_json()) == made
    later = json.loads(made.to_json())
    later["risk"] = {"score": 3}
    for part in ("grants", "changes", "tags"):
        later[part] = [{**it, "new": True} for it in later[part]]
    assert Plan.from_json(json.dumps(later)) == made
    assert Plan.from_json('{"catalog": "2", "region": "r", "day": "d", "policy": "p", "observation": "o"}').empty


def test_who_can_and_what_can_are_told_from_rights() -> None:
    there = _after(plan(policy(_CONTACT), seen()), seen())
    rights = access(there.tables, there.grants, tags=there.tags)
    assert who_can(rights, "d1", "customers", "email") == {ANALYST: {"email"}}
    assert who_can(rights, "d1", "customers", "zip") == {}
    assert who_can(rights, "d1", "orders") == {ANALYST: {"id", "amount", "[DESCRIBE]"}}
    assert set(what_can(rights, ANALYST)) == {("d1", "customers"), ("d1", "orders")}
    assert spoken(frozenset({"id", "email where x IN (1)"}), ("id", "email")) == "id; email where x IN (1)"


@pytest.mark.parametrize("column", ["email", "email where 1", "a where b"])
@pytest.mark.parametrize("rows", ["", "id IN (1)"])
def test_personal_data_are_approved_whatever_their_column_is_called(column: str, rows: str) -> None:
    classes = (PiiClass(name="contact", columns=(f"*.*.{column}",)),)
    made = plan(
        policy(replace(_CONTACT, rows=rows), classes=classes, **_NAMED),
        seen(Table(database="d1", name="letters", columns=("id", column))),
    )
    assert made.approvals == (f"{ANALYST} (analyst) gains personal data of class contact: d1.letters.{column}",)


def test_that_somebody_may_hand_personal_data_on_is_approved_as_well() -> None:
    look = seen()
    there = closed(step.grant for step in plan(policy(_CONTACT, **_NAMED), look).grants)
    made = plan(policy(replace(_CONTACT, grantable=True), **_NAMED), replace(look, grants=there), there)
    assert made.approvals == (f"{ANALYST} (analyst) gains personal data of class contact: d1.customers.email",)


def test_a_filter_on_a_column_that_a_table_lacks_is_refused_for_that_table() -> None:
    made = plan(policy(replace(READ, rows="zip IN (1)", rows_by=("zip",), exclude_pii=True), **_NAMED), seen())
    assert [it.table for it in made.filters] == ["customers"]
    (refused,) = made.refused
    assert (refused.tables, refused.columns) == (("orders",), ("zip",))
    assert refused.reason.startswith("rows are chosen by columns that are not there: ")
