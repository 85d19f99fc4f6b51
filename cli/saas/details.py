"""Everything about one deployment, as `status` tells it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cli.saas.advice import Wish, next_step
from cli.saas.fleet import age, needs_care
from lambdas.common.clock import stamp
from lambdas.common.written import as_written, cut
from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.component_stacks import stack_name
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, in_words, pin_of
from lambdas.saas.model.row_rules import PIN_REASON_LIMIT
from lambdas.saas.model.runs import Run
from lambdas.saas.model.status import Phase, StackRef, Status

# Whoever has the token can answer for the tenant's pipeline.
_SECRET = frozenset({"task_token"})
# What a row says of its pin. Nothing is decided by the last, which is for people.
PIN = ("revision", "revision_reason", "revision_until", "revision_by")


@dataclass(frozen=True, kw_only=True)
class Details:
    """One deployment: what its row asks for, what is known of it, and what to do next.

    `run` is the release's run that is in force, `before` are those that it goes on with. `is_current` says that what it
    has is the same for it as that run's release. `deployed` is a valid row with what it leaves to its tier and to
    defaults, as the configuration at hand has them; a row that pins a release is left as it is, for that has its own.
    """

    id: str
    row: Mapping[str, Any] | None
    wish: Wish
    status: Status | None
    run: Run | None = None
    before: tuple[str, ...] = ()
    is_current: bool = False
    deployed: DeploymentRecord | None = None

    @property
    def step(self) -> str:
        return next_step(self.id, self.wish, self.status, self.run, self.before, is_current=self.is_current)

    @property
    def wrong(self) -> bool:
        """Whether somebody has to do something about it."""
        known = self.status
        bad = known is not None and needs_care(
            phase=known.phase, release_outcome=known.release_outcome, row_removed=known.row_removed
        )
        return bad or isinstance(self.wish, InvalidRow)

    def document(self) -> dict[str, Any]:
        """What --json tells."""
        status = asdict(self.status) if self.status else None
        return {
            "id": self.id,
            "row": self.row,
            "problems": list(self.wish.reasons) if isinstance(self.wish, InvalidRow) else [],
            "parameters": dict(self.deployed.parameters) if self.deployed else {},
            "status": {name: value for name, value in status.items() if name not in _SECRET} if status else None,
            "is_current": self.is_current,
            "next_step": self.step,
            "wrong": self.wrong,
        }


Facts = list[tuple[str, str]]


def facts(details: Details, *, now: datetime) -> Facts:
    """Name and value of what there is to tell, in reading order; what is empty is left out."""
    told = [
        *_wish_facts(details),
        ("pin", _pin(details, now)),
        *_status_facts(details.status, now),
        ("same as", f"release {details.run.revision}" if details.run and details.is_current else ""),
        ("next step", details.step),
    ]
    return [(name, value) for name, value in told if value]


def _wish_facts(details: Details) -> Facts:
    wish = details.wish
    if wish is None:
        return [("row", "there is none")]
    if isinstance(wish, InvalidRow):
        return [("row", "cannot be acted on"), *(("problem", reason) for reason in wish.reasons)]
    deployed = details.deployed or wish
    return [
        ("row", _wished(wish, deployed)),
        ("external id", wish.external_id),
        ("tags", _pairs(deployed.tags, wish.tags)),
        ("parameters", _pairs(deployed.parameters, wish.parameters)),
        ("defaults", f"those of release {wish.revision}, which it pins" if wish.revision else ""),
    ]


def _pairs(pairs: Iterable[tuple[str, str]], own: Iterable[tuple[str, str]]) -> str:
    """Names and values; what is not the row's own is said to be a default."""
    given = dict(own)
    return ", ".join(f"{key}={value}{'' if key in given else ' (default)'}" for key, value in pairs)


def _pin(details: Details, now: datetime) -> str:
    """What the row pins, since when, until when, who has asked for it and why, be it written by hand or not."""
    row, status = details.row or {}, details.status
    revision, reason, until, by = (_cut(row.get(name)) for name in PIN)
    if not revision:
        return ""
    over = "" if pin_of(row, stamp(now)) or isinstance(details.wish, InvalidRow) else ", which is over"
    since = f", for {age(status.pinned_at, now)}" if status and status.pinned == row["revision"] else ""
    ends = f", until {until}{over}" if until else ""
    return f"{revision}{since}{ends}{f', by {by}' if by else ''}{f': {reason}' if reason else ''}"


def _cut(value: object) -> str:
    return cut(value, PIN_REASON_LIMIT) if isinstance(value, str) else "" if value is None else as_written(value)


def _wished(wish: DeploymentRecord, deployed: DeploymentRecord) -> str:
    ring = f", ring {wish.ring}" if wish.ring else ""
    tier = f", tier {wish.tier}" if wish.tier else ""
    size = f", size {deployed.size}" if deployed.size else ""
    return f"{wish.type}, {wish.state}{tier}{size}{ring}, {in_words(wish.places)}"


def _status_facts(status: Status | None, now: datetime) -> Facts:
    if status is None:
        return [("phase", "nothing is known of it yet")]
    changed = f"{status.updated_at} ({age(status.updated_at, now)} ago)" if status.updated_at else ""
    return [
        ("phase", str(status.phase)),
        ("reason", status.reason),
        ("refused by", f"release {status.refused_by}" if status.refused_by else ""),
        ("failed first for", status.first_failure),
        *_adoption_facts(status),
        ("row removed", "yes" if status.row_removed else ""),
        ("changed", changed),
        ("revision", _revisions(status)),
        ("applied tier", status.applied_tier),
        ("applied parameters", ", ".join(f"{key}={value}" for key, value in sorted(status.applied_parameters.items()))),
        ("held by", _holder(status, now)),
        *_release_facts(status),
        ("build", status.build_id),
        ("attempts", str(status.attempts) if status.attempts > 1 else ""),
        ("execution", status.execution_id),
        ("link", status.execution_url),
        *_outputs(status),
        *_stack_facts(status),
        *_end_facts(status),
    ]


def _revisions(status: Status) -> str:
    wanted, deployed = status.revision_wanted, status.revision_deployed
    if not deployed:
        return f"{wanted} wanted, none deployed" if wanted else ""
    return f"{deployed} deployed" if wanted in ("", deployed) else f"{wanted} wanted, {deployed} deployed"


def _holder(status: Status, now: datetime) -> str:
    if not status.claimed_by:
        return ""
    over = "" if status.claimed_at(stamp(now)) else ", which is over"
    return f"{status.claimed_by} until {status.claim_expires_at}{over}"


def _outputs(status: Status) -> Facts:
    """What the component declares public, by name and Region, with both Regions of a name one after the other."""
    told = [(name, region, value) for region, values in status.outputs.items() for name, value in values.items()]
    return [("output", f"{name}, {region}: {value}") for name, region, value in sorted(told)]


def _release_facts(status: Status) -> Facts:
    if not status.release_run:
        return []
    ring = f", ring {status.release_ring}" if status.release_ring else ""
    outcome = f": {status.release_outcome}" if status.release_outcome else ""
    return [("release", f"run {status.release_run}{ring}{outcome}"), ("release reason", status.release_reason)]


def waiting_plan(status: Status | None) -> AdoptionPlan | None:
    """The plan that a person has to agree to; one of before counts no more."""
    return status.adoption if status and status.phase is Phase.FAILED else None


def _adoption_facts(status: Status) -> Facts:
    """The plan that a person has to agree to, and what was taken over."""
    plan, done = waiting_plan(status), [("adopted", located(ref)) for ref in status.adopted]
    if plan is None:
        return done
    shown = [("adoption plan", f"{plan.digest}, of {plan.at}: {plan.summary}")]
    return [*done, *shown, *(("would", change) for change in plan.changes)]


def _stack_facts(status: Status) -> Facts:
    pipeline = [status.pipeline_stack] if status.pipeline_stack else []
    stacks = [*pipeline, *status.support_stacks, *status.component_stacks]
    told = [(f"{ref.kind} stack", located(ref)) for ref in stacks]
    told += [("further stack", located(ref)) for ref in status.further_stacks]
    return [*told, *(("left behind", located(ref)) for ref in status.former_stacks)]


def _end_facts(status: Status) -> Facts:
    after = status.retire_after if status.phase is Phase.RETIRING else ""
    return [
        ("deleted after", after),
        *(("archive", archive) for archive in status.archives),
        *(("warning", warning) for warning in status.warnings),
    ]


def located(ref: StackRef) -> str:
    """A stack and where it is."""
    return f"{stack_name(ref)} in account {ref.account}, {ref.region}"
