"""Carrying a step out: each does one thing, and is safe to repeat when the function died before it could answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.idempotency import start_token
from lambdas.saas.lifecycle.decide import POLL_SECONDS, Case, Do, Step
from lambdas.saas.lifecycle.facts import Memory, may_have_left, warning_of, warnings_elsewhere
from lambdas.saas.lifecycle.ports import Archives, BuildLogs, Copies, Pipelines, Stacks
from lambdas.saas.lifecycle.statuses import LifecycleStatuses
from lambdas.saas.model.lifecycle import retirement_failed
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.status import Phase, Status

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the machine goes on with: whether it is over, else when to take the next step, and what to remember."""

    done: bool
    seconds: int = 0
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, kw_only=True)
class Perform:
    """Does what was decided, under the claim of one execution (`holder`); archives' names begin with `prefix`."""

    statuses: LifecycleStatuses
    pipelines: Pipelines
    stacks: Stacks
    archives: Archives
    copies: Copies
    logs: BuildLogs
    prefix: str
    holder: str = ""

    def step(self, step: Step, case: Case) -> Answer:
        """Carry a step out."""
        doers: Mapping[Do, Callable[[Step, Case], Answer]] = {
            Do.WAIT: self._wait,
            Do.LEAVE: self._leave,
            Do.REST: self._rest,
            Do.DISABLE: self._disable,
            Do.ENABLE: self._enable,
            Do.STOP: self._stop,
            Do.START: self._start,
            Do.ARCHIVE: self._archive,
            Do.DELETE: self._delete,
            Do.WARN: self._warn,
            Do.SAY_RETIRING: self._say_retiring,
            Do.SAY_SUSPENDED: self._say_suspended,
            Do.MAKE_ANEW: self._make_anew,
            Do.SAY_NOTHING_BROKEN: self._say_nothing_broken,
            Do.SAY_BACK: self._say_back,
            Do.SAY_UNPROVISIONED: self._say_unprovisioned,
            Do.SAY_MOVED: self._say_moved,
            Do.SAY_LEFT_BEHIND: self._say_left_behind,
            Do.SAY_RETIRED: self._say_retired,
            Do.SAY_FAILED: self._say_failed,
        }
        return doers[step.do](step, case)

    def _wait(self, step: Step, case: Case) -> Answer:
        tries = case.memory.tries + 1 if step.another_try else case.memory.tries
        return Answer(done=False, seconds=step.seconds, memory=replace(case.memory, tries=tries))

    def _leave(self, _step: Step, case: Case) -> Answer:
        return self._end(self.statuses.give_back(case.status.id, **self._by(case)), case)

    def _rest(self, step: Step, case: Case) -> Answer:
        self.statuses.give_back(case.status.id, **self._by(case))
        return self._wait(step, case)

    def _disable(self, step: Step, case: Case) -> Answer:
        self.pipelines.disable(_pipeline(case.status), stage=case.facts.pipeline.gate, reason=step.reason)
        return self._wait(step, case)

    def _enable(self, step: Step, case: Case) -> Answer:
        self.pipelines.enable(_pipeline(case.status), stage=case.facts.pipeline.gate)
        return self._wait(step, case)

    def _stop(self, step: Step, case: Case) -> Answer:
        self.pipelines.stop(_pipeline(case.status), execution_id=step.execution_id, reason=step.reason)
        return self._wait(step, case)

    def _start(self, _step: Step, case: Case) -> Answer:
        """Start the pipeline, with its release if there is one that fits; one execution of the machine once."""
        status, release = case.status, case.facts.release
        if release:
            self.copies.move(status.placed_type, status.id, release)
        revision = release.revision if release else ""
        token = start_token(self.holder, status.id, revision, release.version_id if release else "")
        self.pipelines.start(_pipeline(status), token=token)
        return self._end(self._brought_back(case, phase=Phase.UPDATING, reason="", revision=revision), case)

    def _brought_back(self, case: Case, **facts: Any) -> bool:
        status, pin = case.status, case.facts.pin
        since = status.pinned_at if pin == status.pinned else stamp(case.now)
        return self.statuses.brought_back(
            status.id, pinned=pin, pinned_at=since if pin else "", **facts, **self._by(case)
        )

    def _make_anew(self, _step: Step, case: Case) -> Answer:
        """Start the pipeline with what the tenant has; the failure that began it is not lost with its stack."""
        status = case.status
        first = status.first_failure or status.reason
        self.pipelines.start(_pipeline(status), token=start_token(self.holder, status.id))
        reason = f"it is made anew, and failed before: {first}"
        return self._end(self.statuses.made_anew(status.id, reason=reason, first=first, **self._by(case)), case)

    def _say_nothing_broken(self, _step: Step, case: Case) -> Answer:
        status = case.status
        written = self.statuses.made_anew(
            status.id, reason=status.reason, first=status.reason, phase=Phase.FAILED, **self._by(case)
        )
        return self._end(written, case)

    def _archive(self, step: Step, case: Case) -> Answer:
        ref, stateful, status = step.ref, step.stateful, case.status
        assert ref  # noqa: S101 - narrows the type
        assert stateful  # noqa: S101 - as above
        archive = case.archive(ref, stateful)
        kept = self.archives.keep(stateful, ref=ref, name=archive.name(self.prefix))
        if kept.ready:
            self.statuses.archived(status.id, archives=(*status.archives, archive.entry(kept.text)), **self._by(case))
        return Answer(done=False, seconds=1 if kept.ready else POLL_SECONDS, memory=replace(case.memory, tries=0))

    def _delete(self, step: Step, case: Case) -> Answer:
        assert step.ref  # noqa: S101 - narrows the type
        self.stacks.delete(step.ref)
        memory = replace(case.memory.after_deletion(step.ref), tries=0)
        return Answer(done=False, seconds=step.seconds, memory=memory)

    def _warn(self, step: Step, case: Case) -> Answer:
        new = (f"{warning_of(stack.ref)}{stack.problem}" for stack in step.stacks)
        self.statuses.warned(case.status.id, warnings=(*case.status.warnings, *new), **self._by(case))
        return Answer(done=False, seconds=1, memory=replace(case.memory, tries=0))

    def _say_retiring(self, step: Step, case: Case) -> Answer:
        status, until = case.status, step.until
        assert until  # noqa: S101 - narrows the type
        elsewhere = warnings_elsewhere(status)
        if elsewhere != status.warnings and not retirement_failed(status):
            # Those of a retirement that was taken back: what they name may well be reached now.
            self.statuses.warned(status.id, warnings=elsewhere, **self._by(case))
        reason = f"its stacks are deleted after {stamp(until)}; until then the row can bring it back"
        attempts = status.attempts + 1 if retirement_failed(status) else 1
        self.statuses.retiring(status.id, retire_after=until, reason=reason, attempts=attempts, **self._by(case))
        return Answer(done=False, seconds=step.seconds, memory=Memory(announced=True))

    def _say_suspended(self, step: Step, case: Case) -> Answer:
        self.statuses.suspended(case.status.id, reason=step.reason, **self._by(case))
        return self._wait(step, case)

    def _say_back(self, step: Step, case: Case) -> Answer:
        assert step.phase  # noqa: S101 - narrows the type
        return self._end(self._brought_back(case, phase=step.phase, reason=step.reason, revision=""), case)

    def _say_unprovisioned(self, step: Step, case: Case) -> Answer:
        return self._end(self.statuses.unprovisioned(case.status.id, reason=step.reason, **self._by(case)), case)

    def _say_moved(self, step: Step, case: Case) -> Answer:
        """Not the end: the row may ask for something else meanwhile."""
        status = case.status
        gone = {stack.ref for stack in case.facts.components or ()}
        here = tuple(ref for ref in status.former_stacks if ref not in gone)
        standing = {*status.places, *(ref.place for ref in here)}
        adopted = tuple(ref for ref in status.adopted if ref.place in standing)
        self.statuses.moved(status.id, former=here, adopted=adopted, **self._by(case))
        return self._wait(step, case)

    def _say_left_behind(self, step: Step, case: Case) -> Answer:
        return self._end(self.statuses.left_behind(case.status.id, reason=step.reason, **self._by(case)), case)

    def _say_retired(self, _step: Step, case: Case) -> Answer:
        status = case.status
        if kind := status.placed_type:
            self.copies.remove(kind, status.id)
            self.logs.remove(kind, status.id)
        warned = bool(status.warnings)
        none = "" if may_have_left(status) else "nothing was deployed"
        reason = f"not all could be deleted: {'; '.join(status.warnings)}" if warned else none
        written = self.statuses.retired(
            status.id,
            seen=status,
            reason=reason,
            warned=warned,
            expires_at=case.now + case.policy.tombstone,
            **self._by(case),
        )
        return self._end(written, case)

    def _say_failed(self, step: Step, case: Case) -> Answer:
        return self._end(
            self.statuses.failed(case.status.id, reason=step.reason, retry=step.retry, **self._by(case)), case
        )

    def _by(self, case: Case) -> dict[str, Any]:
        return {"holder": self.holder, "now": case.now}

    def _end(self, written: bool, case: Case) -> Answer:
        """The end, unless the status was changed meanwhile, or taken by another: then another look is due."""
        if not written:
            logger.warning("deployment %s: the status has changed meanwhile", case.status.id)
        return Answer(done=written, seconds=0 if written else POLL_SECONDS, memory=case.memory)


def _pipeline(status: Status) -> str:
    return pipeline_name(status.placed_type, status.id)
