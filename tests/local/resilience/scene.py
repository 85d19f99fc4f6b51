"""A factory that experiments with its canaries, under test: what scenarios do to it, and what they wait for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.store.attempts import AttemptsTable, OvertakenError
from lambdas.saas.model.runs import Run, RunState
from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.chaos import ALARM, ENDED, EXPERIMENT, LAST, STARTED, ChaosFactory
from local_cloud.factory.failover import FailoverFactory
from local_cloud.factory.granary import NAMES, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.releasing import ended, run_ended

CHAOS = ResilienceNames(prefix=NAMES.prefix)
PAGE = PROJECT_ROOT / "docs" / "resilience" / "README.md"
RUNBOOK = PAGE.parent / "runbooks" / "chaos.md"
_TIMES = ("began", "since", "until", "hold")


@dataclass(frozen=True, kw_only=True)
class Released:
    """A release that is over."""

    version: str
    run: Run


@dataclass(frozen=True, kw_only=True)
class Scene(ChaosFactory):
    """The factory, with ears."""

    factory: Factory
    failovers: FailoverFactory

    # What scenarios do

    def released(self) -> Released:
        """Release a commit that changes nothing; the canary has to stop it."""
        version = self.push_nothing()
        self.factory.released(version)
        return Released(version=version, run=ended(self.factory, version, RunState.STOPPED))

    def resumed(self) -> Run:
        """Resume the release; its run as it was begun."""
        before = self.granary.run()
        done = self.granary.cli("resume", "--no-follow")
        assert done.returncode == 0, done.stderr

        def begun() -> Run | None:
            run = self.granary.run()
            return run if run and before and run.run != before.run else None

        return wait_until(begun, seconds=PATIENCE_SECONDS, what="the resumed run")

    def over(self, run: Run, state: RunState = RunState.STOPPED) -> Released:
        """Wait until a run has come to its end, which has to be this."""
        return Released(version=run.revision, run=run_ended(self.factory, run.run, state))

    def execution(self, row: Row) -> str:
        """The newest execution of a tenant's pipeline."""
        return str(self.granary.executions(row.pipeline)[0]["pipelineExecutionId"])

    def stop(self, row: Row, *, abandon: bool) -> None:
        """Stop it, as a person does."""
        self.granary.client("codepipeline").stop_pipeline_execution(
            pipelineName=row.pipeline, pipelineExecutionId=self.execution(row), abandon=abandon, reason="a test"
        )

    def dry_run(self, experiment: str = EXPERIMENT) -> tuple[int, str]:
        """Exit code and answer of a dry run by hand."""
        done = self.granary.cli("chaos", "run", LAST.id, "--experiment", experiment, "--dry-run", "--json")
        return done.returncode, json.loads(done.stdout)["said"] if done.stdout else done.stderr

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the function."""
        function = CHAOS.chaos_function
        answer = self.granary.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        told: dict[str, Any] = json.loads(answer["Payload"].read() or b"null") or {}
        assert "FunctionError" not in answer, told
        return told

    def sweep(self) -> None:
        """Have the function sweep now."""
        self.invoke({"detail-type": "Scheduled Event", "source": "aws.events"})

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Until the block ends, the function hears of no execution that stops, and sweeps only when it is told to."""
        events = self.granary.client("events")
        rules = [one["Name"] for one in events.list_rules(NamePrefix=f"{NAMES.prefix}-resilience-")["Rules"]]
        assert len(rules) > 1, rules
        for name in rules:
            events.disable_rule(Name=name)
        try:
            yield
        finally:
            for name in rules:
                events.enable_rule(Name=name)

    @contextmanager
    def without_alarm(self, row: Row) -> Iterator[None]:
        """Until the block ends, a tenant has no alarm."""
        self.client("cloudwatch").delete_alarms(AlarmNames=[ALARM.format(id=row.id)])
        try:
            yield
        finally:
            self.bring_alarm(row)

    def time_passes(self, row: Row, *, minutes: int) -> None:
        """Make the attempt that holds a tenant so many minutes older."""
        then = timedelta(minutes=minutes)

        def written() -> bool | None:
            tenant = self._attempts.get(row.id)
            assert tenant.attempt, f"no attempt holds {row.id}"
            times = {name: getattr(tenant.attempt, name) for name in _TIMES}
            older: dict[str, Any] = {name: stamp(moment(time) - then) for name, time in times.items() if time}
            try:
                self._attempts.save(tenant.with_attempt(replace(tenant.attempt, **older)))
            except OvertakenError:
                return None
            return True

        wait_until(written, seconds=PATIENCE_SECONDS, what="nobody to write at the same time")

    # What they look at and wait for

    @property
    def _attempts(self) -> AttemptsTable:
        return AttemptsTable(client=self.granary.client("dynamodb"), table=CHAOS.attempts_table)

    def attempt(self, row: Row) -> Attempt | None:
        """The attempt that holds a tenant."""
        return self._attempts.get(row.id).attempt

    def goes_on(self, row: Row) -> Attempt:
        """Wait until the attempt at a tenant has gone through a round more, or has begun."""
        before = self.attempt(row)

        def later() -> Attempt | None:
            now = self.attempt(row)
            return now if now and (before is None or now.round > before.round) else None

        return wait_until(later, seconds=PATIENCE_SECONDS, what=f"a round of the attempt at {row.id}")

    def free(self, row: Row) -> None:
        """Wait until no attempt holds a tenant: it ends after all is told."""

        def ended() -> bool | None:
            return True if self.attempt(row) is None else None

        wait_until(ended, seconds=PATIENCE_SECONDS, what=f"the end of the attempt at {row.id}")

    def templates(self) -> list[dict[str, Any]]:
        """What FIS has of templates."""
        found: list[dict[str, Any]] = self.client("fis").list_experiment_templates()["experimentTemplates"]
        return found

    def last_verdict(self, about: Released) -> dict[str, Any]:
        """The newest that is kept of the canary."""
        return self.verdicts(about.version)[-1]

    def hears(self, run: Run, *wanted: tuple[str, str]) -> None:
        """Wait until the bus has told so of experiments in a run: kinds and outcomes."""

        def heard() -> bool | None:
            told = [one for one in self.factory.bus.messages() if one["detail-type"] in (STARTED, ENDED)]
            found = [(one["detail-type"], one["detail"]["outcome"]) for one in told if one["detail"]["run"] == run.run]
            return True if set(found) == set(wanted) else None  # what is told may be told again

        wait_until(heard, seconds=PATIENCE_SECONDS, what=f"the bus to tell {wanted}")
