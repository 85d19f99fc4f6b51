"""Jobs of tenants' pipelines that ask for a task: it is begun once, followed, and its end is told.

Each delivery of a job reads what is kept, decides, writes, and only then does. What comes twice finds what was written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.exceptions import ConnectionError as UnreachableError

from lambdas.common.aws_errors import PASSING, code_of, ignoring, may_pass
from lambdas.common.clock import moment, stamp
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.common.idempotency import start_token
from lambdas.common.pipeline_jobs import Later
from lambdas.saas.model.forward_only import mark
from lambdas.saas.model.status import ForwardOnly, Status
from lambdas.saas.model.task_runs import Step, TaskRun, TaskState, step
from lambdas.saas.model.tasks import Asked, Task
from lambdas.saas.store.task_runs import TaskRuns
from lambdas.saas.tasks.asking import Execution, refusal, why_not
from lambdas.saas.tasks.target import Seen
from lambdas.saas.tasks.there import Place

logger = logging.getLogger(__name__)

# A function that is at work has an answer by then, or nobody has.
_HELD = timedelta(minutes=16)
# What an earlier execution has used may be gone with its stack.
_NOWHERE = ("ClusterNotFoundException",)
_LATE = "it could not be begun in time"
_LOST = "whoever asked the function has ended before it answered: nobody knows what has become of it"
_AGAIN = Later(token="again")  # noqa: S106 - it says nothing: what is kept does


class Statuses(Protocol):
    """Port to the status table."""

    def get(self, deployment_id: str) -> Status | None: ...
    def keep(self, deployment_id: str, mark: ForwardOnly) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Work:
    """Takes jobs; `execution` reads an execution of a tenant's pipeline, `place` is where the tenant stands."""

    statuses: Statuses
    runs: TaskRuns
    execution: Callable[[Asked], Execution]
    place: Callable[[Asked], Place]
    clock: Callable[[], datetime]

    def job(self, given: Mapping[str, Any], *, job: str, first: bool) -> str | Later:
        """Take a job; the answer is how the task went, or that it goes on.

        Raises:
            GranaryError: it failed, or could not be begun.
        """
        asked = Asked.of_parameters(given)
        try:
            return self._job(asked, job, first=first)
        except CapacityError as error:
            logger.info("%s has to wait: %s", asked.label, error)
            return _AGAIN
        except (BotoCoreError, ClientError, GranaryError) as error:
            if may_pass(error):
                logger.info("%s has to wait: %s", asked.label, error)
                return _AGAIN
            raise GranaryError(f"{asked.label} failed: {error}") from error

    def _job(self, asked: Asked, job: str, *, first: bool) -> str | Later:
        # At each job, for a pipeline may ask for another place than the one that its first job had.
        if problem := refusal(asked, self.statuses.get(asked.deployment)):
            raise GranaryError(problem)
        run, now = self.runs.get(asked.key), self.clock()
        match step(run, execution=asked.execution, job=job, first=first, now=now):
            case Step.DONE if run:
                return f"{asked.label} has succeeded in this execution: {run.said}"
            case Step.FAIL if run:
                raise GranaryError(run.said)
            case Step.FOLLOW if run:
                return self._follow(asked, run, now)
            case Step.WAIT:
                return _AGAIN
            case Step.BEGIN_AGAIN if run:
                if now > moment(run.until):
                    return self._end(asked, run, Seen(ref="", over=True, said=_LOST if run.held_until else _LATE))
                return self._begin(asked, run, replace(run, job=job, held_until=_held(run.task, now)))
        return self._anew(asked, run, job, now)

    def _anew(self, asked: Asked, was: TaskRun | None, job: str, now: datetime) -> str | Later:
        status, execution = self.statuses.get(asked.deployment), self.execution(asked)
        if why := why_not(status, execution):
            return f"{asked.label} is not run: {why}"
        # Before anything of the next execution's is looked at, or stopped.
        _require_going(asked, execution)
        if was and self._still_runs(asked, was, now):
            return _AGAIN
        task = Task.of_output(asked.task, self.place(asked).outputs(asked.stack), stack=asked.stack)
        run = TaskRun(
            id=asked.key,
            execution=asked.execution,
            attempt=was.attempt + 1 if was and was.execution == asked.execution else 1,
            job=job,
            state=TaskState.BEGINNING,
            task=task,
            began=stamp(now),
            until=stamp(now + timedelta(minutes=task.minutes)),
            held_until=_held(task, now),
        )
        return self._begin(asked, was, run)

    def _still_runs(self, asked: Asked, was: TaskRun, now: datetime) -> bool:
        """Whether an execution that somebody has stopped left it at work, beside which nothing may be begun.

        What is past its time is stopped, as if its own execution still followed it.
        """
        if was.state is TaskState.BEGINNING:
            return bool(was.held_until) and now < moment(was.held_until)
        if was.state is not TaskState.RUNNING:
            return False
        target, seen = self.place(asked).target(was.task), Seen(ref=was.ref, gone=True)
        with ignoring(*_NOWHERE):
            seen = target.look(was.ref)
        if seen.over or seen.gone:
            if seen.ok:
                self._mark(replace(asked, execution=was.execution))
            return False
        logger.info("%s waits for %s of execution %s", asked.label, was.ref, was.execution)
        if now > moment(was.until):
            target.stop(was.ref, f"its execution has ended, and so have its {was.task.minutes} minutes")
        return True

    def _begin(self, asked: Asked, was: TaskRun | None, run: TaskRun) -> str | Later:
        # All that may fail, before it is written that it begins: a function that nobody has asked is waited for then.
        token = start_token(run.id, run.execution, str(run.attempt))
        request = {"deployment": asked.deployment, "task": asked.task, "when": asked.when, "of": asked.of}
        execution, target = self.execution(asked), self.place(asked).target(run.task)
        _require_going(asked, execution)
        if not self.runs.write(run, was):
            return _AGAIN  # somebody else has begun it
        try:
            seen = target.begin(token, {**request, "revision": execution.revision, "execution": run.execution})
        except CapacityError:
            raise
        except (BotoCoreError, ClientError, GranaryError) as error:
            if not may_pass(error):
                return self._end(asked, run, Seen(ref="", over=True, said=str(error)))
            if _was_not_taken(error):  # nobody needs to wait for us
                self.runs.write(replace(run, held_until=""), run)
            raise
        logger.info("%s has begun: %s", asked.label, seen.ref)
        if seen.over:
            return self._end(asked, run, seen)
        self.runs.write(replace(run, state=TaskState.RUNNING, ref=seen.ref), run)
        return _AGAIN

    def _follow(self, asked: Asked, run: TaskRun, now: datetime) -> str | Later:
        late = now > moment(run.until)
        said = f"{run.ref} did not end within {run.task.minutes} minutes"
        try:
            target = self.place(asked).target(run.task)
            seen = target.look(run.ref)
            if late and not seen.over:
                said = f"{said} and was stopped"
                target.stop(run.ref, said)
                seen = Seen(ref=run.ref, over=True, said=said)
        except (BotoCoreError, ClientError, GranaryError) as error:
            # Until then, it may be at work, and a retry of the stage goes on looking.
            if not late or may_pass(error):
                raise
            seen = Seen(ref=run.ref, over=True, said=f"{said}, and cannot be looked at or stopped: {error}")
        return self._end(asked, run, seen) if seen.over else _AGAIN

    def _end(self, asked: Asked, run: TaskRun, seen: Seen) -> str | Later:
        """Keep how it ended; that nothing leads back is written first, for it is so whatever becomes of us."""
        if seen.ok:
            self._mark(asked)
        state = TaskState.SUCCEEDED if seen.ok else TaskState.FAILED
        if not self.runs.write(replace(run, state=state, ref=seen.ref, said=seen.said), run):
            return _AGAIN  # what is kept now tells
        if not seen.ok:
            raise GranaryError(seen.said)
        return f"{asked.label} succeeded: {seen.said}"

    def _mark(self, asked: Asked) -> None:
        if asked.forward_only and (status := self.statuses.get(asked.deployment)):
            revision = self.execution(asked).revision
            self.statuses.keep(asked.deployment, mark(status, asked, revision=revision))


def _require_going(asked: Asked, execution: Execution) -> None:
    if execution.over:
        raise GranaryError(f"execution {asked.execution} of the pipeline is {execution.over}: nobody waits for it")


def _was_not_taken(error: Exception) -> bool:
    """Whether nothing has begun for certain."""
    return isinstance(error, UnreachableError) or (isinstance(error, ClientError) and code_of(error) in PASSING)


def _held(task: Task, now: datetime) -> str:
    """Of what is known by its token nobody needs to wait for whoever may be at work on it."""
    return stamp(now + _HELD) if task.function else ""
