"""What the factory has observed of a deployment: one item of the status table; pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from lambdas.common.clock import Stamp, moment, stamp
from lambdas.common.isolation import fault
from lambdas.common.log import about
from lambdas.common.versioned_json import WAS_ONE, read
from lambdas.common.written import cut
from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.record import name_of

logger = logging.getLogger(__name__)

RELEASE_CLAIM = "release/"
LIFECYCLE_CLAIM = "lifecycle/"
# A release holds a deployment for as long as its pipeline may take, a day at most. What ends later than this, somebody
# has written by hand: it holds nobody.
LONGEST_CLAIM = timedelta(days=2)


class Phase(StrEnum):
    """Where a deployment stands."""

    PENDING = "PENDING"
    PROVISIONING = "PROVISIONING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    FAILED = "FAILED"
    INVALID = "INVALID"
    SUSPENDED = "SUSPENDED"
    MOVING = "MOVING"
    RETIRING = "RETIRING"
    RETIRED = "RETIRED"
    RETIRED_WITH_WARNINGS = "RETIRED_WITH_WARNINGS"


class Outcome(StrEnum):
    """How a deployment fared in a release; a run counts each of them for every ring."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    SUPERSEDED = "superseded"
    HELD = "held"  # not begun, for the line had stopped
    SKIPPED = "skipped"


BAD_OUTCOMES = frozenset({Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED})


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A place that the pipeline was last provisioned for: names are made of the type, stacks are there."""

    type: str
    account: str
    region: str

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region


@dataclass(frozen=True, kw_only=True)
class StackRef:
    """A stack that belongs to a deployment: its id, and where it is.

    `kind` is `pipeline`, `component` or `support` (a stack that pipelines of one Region may share).
    """

    kind: str
    stack_id: str
    account: str
    region: str

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region


@dataclass(frozen=True, kw_only=True)
class ForwardOnly:
    """That a task has run after which nothing leads back: in which execution, of which `revision`.

    `before` is the revision that was deployed then, and does not fit any more. A later version may leave out any of it.
    """

    task: str = ""
    execution: str = ""
    revision: str = ""
    before: str = ""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What an execution of a tenant's pipeline tells; an empty `revision` or `stacks` leaves what is known as it is.

    `stacks` are those that it deployed, `touched` those that one that failed may have made. `further` are the further
    stacks and `outputs` the public outputs that there are now (see `Status`); None leaves them as they are.
    `no_capacity` says of one that failed that
    a build was refused for the account's quota: nothing of it has been deployed.
    """

    phase: Phase
    reason: str = ""
    execution_id: str = ""
    execution_url: str = ""
    revision: str = ""
    stacks: tuple[StackRef, ...] = ()
    touched: tuple[StackRef, ...] = ()
    further: tuple[StackRef, ...] | None = None
    outputs: dict[str, dict[str, str]] | None = None
    no_capacity: bool = False


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """An item of the status table that this version cannot read, so that nothing is done about its deployment.

    The deployment is not absent: it is neither provisioned anew nor taken for one that nothing is known of. With
    `fault`, it is not the item that is wrong but the program that fails at it, or at the row.
    """

    id: str
    why: str
    fault: bool = False

    @property
    def reason(self) -> str:
        """What is wrong, where the deployment is named already."""
        return f"the factory itself fails at it: {self.why}" if self.fault else f"its status cannot be read: {self.why}"

    def __str__(self) -> str:
        """What is wrong, and what to do."""
        step = "Report it, or undo what was last changed of its row" if self.fault else _REPAIR.format(id=cut(self.id))
        return f"nothing is done about deployment {cut(self.id)}: {self.reason}. {step}"


_REPAIR = "If the toolchain was rolled back, update it again; otherwise run `granary repair {id}`"


@dataclass(frozen=True, kw_only=True)
class Status:
    """The observed state of one deployment.

    `wanted_digest` and `applied_digest` are digests of records: what was last wished for, and what the pipeline was
    last provisioned with. Whoever works on the deployment holds a claim until `claim_expires_at`: a build by its id, a
    release as `release/<run>`, the lifecycle machine as `lifecycle/<execution>`. `retry` says that the sweep may try a
    FAILED deployment again. `removed_at` is when the row was last found gone. `observed_at` is when the look at the
    pipeline began that the execution is known from.

    `pending_since` is when a PENDING deployment began to wait, `pending_build` the build that was started for it last:
    one that ends, and has not claimed it, has died on its way. `row_problem` says why the row cannot be acted on, of a
    deployment whose pipeline is out of use: its phase stays as it is. `refused_by` is the release whose build has
    called the row invalid, of one that is INVALID though the functions would take its row.

    `placed` are the places that the pipeline was last provisioned for, the primary first, then the standby if there is
    one; `region` and `standby_region` are what the row asked for last. `component_stacks` are those of the newest
    revision that was deployed, `further_stacks` those that an earlier revision had or that an execution that failed may
    have made, and `former_stacks` what a move has left behind. `outputs` are what the component's stacks declare public
    in each Region: {region: {name: value}}.
    Of the newest release that took the deployment up, `release_run` and `release_ring` say which, `release_outcome` and
    `release_reason` how it went, `revision_before` what was deployed then, `release_execution_id` the execution that it
    started and `release_refused_id` the last one of them that found no capacity; `task_token` is to be answered with
    the outcome. `retire_after` is when a RETIRING deployment may be
    deleted; one that is FAILED has it when its retirement has failed. `archives` name what was kept of it, `warnings`
    what could not be deleted, `expires_at` is when the tombstone goes (seconds since 1970, DynamoDB's TTL).
    `applied_tier` and `applied_parameters` are the row's own that the pipeline was last provisioned with; what the tier
    and defaults add comes with each release. `external_id` is what others call the deployment.
    `first_failure` is why the execution failed after which the lifecycle machine looked for stacks that never stood.
    `pinned` is the release that the deployment was last placed at, or held at, because its row pins that, `pinned_at`
    since when; whoever moves it elsewhere forgets both. What never stood has neither, for builds know nothing of pins.
    `adoption` is the plan of taking over stacks that a person has to agree to, of one that is FAILED for that;
    `adopted` are the stacks that were taken over, in places that stand.
    `forward_only` is the newest task that says of itself that nothing leads back, and has succeeded.
    All other times are ISO 8601 in UTC.
    """

    id: str
    phase: Phase
    reason: str = ""
    type: str = ""
    account: str = ""
    region: str = ""
    standby_region: str = ""
    wanted_digest: str = ""
    applied_digest: str = ""
    revision_wanted: str = ""
    revision_deployed: str = ""
    build_id: str = ""
    execution_id: str = ""
    execution_url: str = ""
    claimed_by: str = ""
    claim_expires_at: Stamp = ""
    retry: bool = False
    row_removed: bool = False
    removed_at: Stamp = ""
    attempts: int = 0
    first_failure: str = ""
    updated_at: Stamp = ""
    pending_since: Stamp = ""
    pending_build: str = ""
    row_problem: str = ""
    refused_by: str = ""
    observed_at: Stamp = ""
    pipeline_stack: StackRef | None = None
    component_stacks: tuple[StackRef, ...] = field(default=())
    support_stacks: tuple[StackRef, ...] = field(default=())
    former_stacks: tuple[StackRef, ...] = field(default=())
    further_stacks: tuple[StackRef, ...] = field(default=())
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    placed: Annotated[tuple[Placement, ...], WAS_ONE] = field(default=())
    release_run: str = ""
    release_ring: str = ""
    release_outcome: str = ""
    release_reason: str = ""
    release_started_at: str = ""
    release_execution_id: str = ""
    release_refused_id: str = ""
    revision_before: str = ""
    task_token: str = ""
    retire_after: Stamp = ""
    archives: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    expires_at: int = 0
    external_id: str = ""
    applied_tier: str = ""
    applied_parameters: dict[str, str] = field(default_factory=dict)
    pinned: str = ""
    pinned_at: Stamp = ""
    adoption: AdoptionPlan | None = None
    adopted: tuple[StackRef, ...] = field(default=())
    forward_only: ForwardOnly | None = None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Status | Unreadable:
        """Read an item (already deserialized); attributes of later versions are left alone."""
        try:
            return read(cls, item)
        except ValueError as error:
            return Unreadable(id=name_of(item), why=str(error))
        except Exception as error:
            with about(deployment=name_of(item)):
                logger.exception("the status of %s could not be read", name_of(item))
            return Unreadable(id=name_of(item), why=fault(error), fault=True)

    @property
    def placed_type(self) -> str:
        """The type that the deployment's names are made of; empty before any row was valid."""
        return self.placed[0].type if self.placed else self.type

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Account and Region of each place that the pipeline was last provisioned for, the primary first."""
        return tuple(one.place for one in self.placed)

    @property
    def has_standby(self) -> bool:
        """Whether the pipeline may deploy to a standby: it was provisioned for one, or is to be."""
        return len(self.placed) > 1 or bool(self.standby_region)

    @property
    def has_parameters(self) -> bool:
        """Whether the pipeline was provisioned with a tier or parameters."""
        return bool(self.applied_tier or self.applied_parameters)

    @property
    def claiming_build(self) -> str:
        """The build that claimed the deployment; empty when it was not a build: only their ids have no slash."""
        return "" if "/" in self.claimed_by else self.claimed_by

    @property
    def found_no_capacity(self) -> bool:
        """Whether the execution that the release has started found no capacity: its turn starts another one."""
        return bool(self.release_refused_id) and self.release_refused_id == self.release_execution_id

    def claimed_at(self, now: str) -> bool:
        """Whether somebody holds the deployment at the moment `now` (a stamp)."""
        return bool(self.claimed_by) and now < self.claim_expires_at <= stamp(moment(now) + LONGEST_CLAIM)


def sort_out(found: Iterable[Status | Unreadable]) -> tuple[dict[str, Status], dict[str, Unreadable]]:
    """All statuses by id, and apart from them what could not be read."""
    statuses: dict[str, Status] = {}
    unreadable: dict[str, Unreadable] = {}
    for one in found:
        if isinstance(one, Status):
            statuses[one.id] = one
        else:
            unreadable[one.id] = one
    return statuses, unreadable
