"""A plan as a privacy officer reads it: who gains and loses what, for which purpose, and what was refused; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambdas.common.written import one_line
from lambdas.lake.model.governance.plan import Plan, differences
from lambdas.lake.model.governance.policy import Policy

_STEPS, _TABLES = 200, 5
_ESCAPED = str.maketrans({"\\": "\\\\", "<": "\\<"})


def page(plan: Plan, policy: Policy, last: Plan | None = None) -> str:
    """Write the page, in Markdown."""
    return "\n".join(_page(plan, policy, last)) + "\n"


def _page(plan: Plan, policy: Policy, last: Plan | None) -> Iterator[str]:
    yield f"# Permissions of the lake in {plan.catalog}, {plan.region}: plan of {plan.day}"
    yield ""
    yield f"Plan `{plan.digest}` for the file `{plan.policy[:12]}`, {plan.tables} tables, {plan.total} grants after it."
    if plan.unseen:
        yield ""
        yield "**Not everything could be looked at, so nothing is revoked:** " + "; ".join(map(_plainly, plan.unseen))
    if plan.remark:
        yield ""
        yield f"{plan.remark}."
    yield from listed("To be approved", plan.approvals, "Nothing.")
    yield from tabled(
        "Who gains and loses what",
        ("who", "persona", "where", "gains", "loses"),
        ((it.principal, it.persona, where(it.database, it.tables), it.gained, it.lost) for it in plan.changes),
    )
    yield from tabled(
        "Refused",
        ("persona", "where", "columns", "why"),
        ((it.persona, where(it.database, it.tables), ", ".join(it.columns), it.reason) for it in plan.refused),
    )
    yield from _records(plan, policy)
    yield from listed("Granted by others", [f"{it.title}. {it.remediation}" for it in plan.drift], "Nothing.")
    yield from listed("Steps", plan.lines, "None: all is as the file says.")
    yield from listed("Since the last plan", differences(plan, last), "The same steps.")


def _records(plan: Plan, policy: Policy) -> Iterator[str]:
    yield from tabled(
        "Records of processing",
        ("record", "about", "purpose", "legal basis", "recipients", "transfer", "retention", "owner", "valid until"),
        (
            (
                it.name,
                ", ".join(it.classes),
                it.purpose,
                it.legal_basis,
                ", ".join(it.recipients),
                it.third_country_transfer,
                it.retention,
                it.owner,
                it.valid_until + (" **expired**" if it.valid_until < plan.day else ""),
            )
            for it in policy.records
        ),
    )


def where(database: str, tables: Sequence[str]) -> str:
    """A database with some of the tables."""
    more = f" and {len(tables) - _TABLES} more" if len(tables) > _TABLES else ""
    return f"{database}: {', '.join(tables[:_TABLES])}{more}" if tables else database


def listed(title: str, lines: Sequence[str], nothing: str) -> Iterator[str]:
    """A part of a page with a list."""
    yield ""
    yield f"## {title}"
    yield ""
    yield from (f"- {_plainly(line)}" for line in lines[:_STEPS])
    if len(lines) > _STEPS:
        yield f"- and {len(lines) - _STEPS} more, which the plan's JSON has"
    if not lines:
        yield nothing


def tabled(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A part of a page with a table."""
    yield ""
    yield f"## {title}"
    yield ""
    lines = ["| " + " | ".join(_cell(it) for it in row) + " |" for row in rows]
    if not lines:
        yield "Nothing."
        return
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    yield from lines


def _cell(text: str) -> str:
    return _plainly(text).replace("|", "\\|") or "-"


def _plainly(text: str) -> str:
    """A text in one line that is shown as it is: whoever makes a table names it, and may not hide what is beside it."""
    return one_line(text.translate(_ESCAPED).replace("](", "]\\("))
