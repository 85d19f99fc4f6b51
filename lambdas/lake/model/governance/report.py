"""The monthly report: which grants changed, who reads personal data and for which record, and what expires; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lambdas.common.versioned_json import Text
from lambdas.lake.model.governance.access import access
from lambdas.lake.model.governance.desired import asked, classes_of
from lambdas.lake.model.governance.observation import Observation
from lambdas.lake.model.governance.page import listed, tabled, where
from lambdas.lake.model.governance.plan import Change
from lambdas.lake.model.governance.policy import EVERYBODY, Policy, Record

_SOON = timedelta(days=60)


@dataclass(frozen=True, kw_only=True)
class AppliedPlan:
    """A plan that was applied in the month, what became of it, and who gained and lost what by it."""

    plan: str
    at: str
    approved_by: str = ""
    outcome: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads columns of a class of personal data, and the records that cover that; without any, no rule does."""

    principal: str
    pii: str
    columns: tuple[str, ...]
    records: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report(Text):
    """What a privacy officer signs; `unsigned` are earlier months whose report nobody has signed."""

    catalog: str
    region: str
    month: str
    day: str
    applied: tuple[AppliedPlan, ...] = ()
    readers: tuple[Reader, ...] = ()
    expiring: tuple[Record, ...] = ()
    unsigned: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of its JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Signature(Text):
    """Who has signed the report with that digest, and when."""

    report: str
    by: str
    at: str


def month_before(day: str) -> str:
    """The month before that of a day."""
    return (date.fromisoformat(day).replace(day=1) - timedelta(days=1)).isoformat()[:7]


def readers(policy: Policy, seen: Observation, *, partition: str, today: str) -> tuple[Reader, ...]:
    """All who read personal data, whoever granted it."""
    records: dict[tuple[str, str], set[str]] = {}
    for one in asked(policy, catalog=seen.catalog, partition=partition, today=today):
        for principal in one.principals:
            for name in one.covered:
                records.setdefault((principal, name), set()).add(one.rule.record)
    found: dict[tuple[str, str], list[str]] = {}
    classes = classes_of(policy, seen.tables)
    for (who, database, table), words in access(seen.tables, seen.grants, tags=seen.tags, filters=seen.filters).items():
        if its := classes.get((database, table)):
            read = {word.partition(" where ")[0] for word in words}
            for column in sorted(its.keys() & read):
                for name in its[column]:
                    found.setdefault((who, name), []).append(f"{database}.{table}.{column}")
    return tuple(
        Reader(
            principal=who,
            pii=name,
            columns=tuple(found[who, name]),
            records=tuple(sorted(records.get((who, name), ()))),
        )
        for who, name in sorted(found)
    )


def expiring(policy: Policy, *, today: str) -> tuple[Record, ...]:
    """Records that expire soon, or have."""
    soon = (date.fromisoformat(today) + _SOON).isoformat()
    return tuple(sorted((one for one in policy.records if one.valid_until <= soon), key=lambda one: one.valid_until))


def headline(report: Report) -> list[str]:
    """What is in it, in a few lines."""
    without = sum(not one.records for one in report.readers)
    told = [
        f"{len(report.applied)} plans were applied",
        f"{len({one.principal for one in report.readers})} principals read personal data"
        + (f", {without} of a class for which they have no record" if without else ""),
    ]
    told += [f"{len(report.expiring)} records expire, or have"] if report.expiring else []
    told += ["not everything could be looked at"] if report.unseen else []
    return told + ([f"not signed: the reports of {', '.join(report.unsigned)}"] if report.unsigned else [])


def report_page(report: Report, signature: Signature | None = None) -> str:
    """The report as people read it, in Markdown."""
    return "\n".join(_page(report, signature)) + "\n"


def _page(report: Report, signature: Signature | None) -> Iterator[str]:
    yield f"# Permissions of the lake in {report.catalog}, {report.region}: report of {report.month}"
    yield ""
    signed = f"Signed by {signature.by} at {signature.at}." if signature else "Sign it: `granary lake report --sign`."
    yield f"Report `{report.digest}`, made on {report.day}. {signed}"
    yield from listed("In short", headline(report), "")
    yield from tabled(
        "Grants that changed",
        ("when", "plan", "approved by", "outcome", "who", "where", "gains", "loses"),
        (
            (
                one.at,
                one.plan[:12],
                one.approved_by,
                one.outcome,
                it.principal,
                where(it.database, it.tables),
                it.gained,
                it.lost,
            )
            for one in report.applied
            for it in one.changes or (Change(principal="", database=""),)
        ),
    )
    yield from tabled(
        f"Who reads personal data on {report.day}",
        ("who", "class", "columns", "records"),
        (
            (_called(it.principal), it.pii, _some(it.columns), ", ".join(it.records) or "**none**")
            for it in report.readers
        ),
    )
    yield from tabled(
        "Records that expire, or have",
        ("record", "valid until", "about", "owner"),
        ((it.name, it.valid_until, ", ".join(it.classes), it.owner) for it in report.expiring),
    )


def _called(principal: str) -> str:
    return "everybody whom IAM lets in" if principal == EVERYBODY else principal


def _some(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - 1} more" if len(columns) > 1 else ""
    return f"{columns[0]}{more}"
