"""A factory that experiments with its canaries, under test: what scenarios do to it, and what they wait for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.common.names import DEPLOYMENT_TAG
from lambdas.resilience.model.attempt import Attempt, Step
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.store.attempts import AttemptsTable, OvertakenError
from lambdas.saas.model.runs import Run, RunState
from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.chaos import ALARM, ENDED, EXPERIMENT, LAST, STARTED, ChaosFactory
from local_cloud.factory.failover import FailoverFactory
from local_cloud.factory.granary import NAMES, Row, wait_until
from tests.local.resilience.catalogue import CHECKS, STOPS
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.releasing import ended, run_ended

CHAOS = ResilienceNames(prefix=NAMES.prefix)
PAGE = PROJECT_ROOT / "docs" / "resilience" / "README.md"
RUNBOOK = PAGE.parent / "runbooks" / "chaos.md"
_TIMES = ("began", "since", "until", "hold")


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


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
        """Release a commit that changes nothing; the canary has to stop it.

        Its task is missed until that is told: a look takes its time.
        """
        with self.faults_last(), self.tasks_are_missed():
            version = self.push_nothing()
            self.factory.released(version)
            run = wait_until(lambda: self.granary.run(version), seconds=PATIENCE_SECONDS, what="the release to begin")
            self.hears(run, (STARTED, ""), (ENDED, "FAIL"))
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

    def bring_stop_alarms(self, *rows: Row) -> None:
        """Make the alarms that end experiments with these tenants; they are at rest."""
        for row in rows:
            self.client("cloudwatch").put_metric_alarm(
                AlarmName=STOPS.format(id=row.id),
                Namespace="Test",
                MetricName="Errors",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="ignore",
            )
            self._set_stop_alarm(row, "OK")

    @contextmanager
    def ringing(self, row: Row) -> Iterator[str]:
        """Until the block ends, the stop alarm of a tenant rings; its name."""
        self._set_stop_alarm(row, "ALARM")
        try:
            yield STOPS.format(id=row.id)
        finally:
            self._set_stop_alarm(row, "OK")

    def _set_stop_alarm(self, row: Row, state: str) -> None:
        name = STOPS.format(id=row.id)
        self.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")

    def bring_project(self, row: Row, command: str) -> None:
        """Let the builds of a tenant's project do this; a component would bring the project."""
        codebuild, name = self.client("codebuild"), CHECKS.format(type=row.type, id=row.id)
        buildspec = json.dumps({"version": 0.2, "phases": {"build": {"commands": [command]}}})
        given = {"name": name, "source": {"type": "NO_SOURCE", "buildspec": buildspec}}
        if codebuild.batch_get_projects(names=[name])["projects"]:
            codebuild.update_project(**given)
            return
        codebuild.create_project(
            **given,
            artifacts={"type": "NO_ARTIFACTS"},
            environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=self._builder(),
            tags=[{"key": DEPLOYMENT_TAG, "value": row.id}],
        )

    def _builder(self) -> str:
        iam, trusted = self.client("iam"), {"Service": "codebuild.amazonaws.com"}
        trust = [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}]
        logs = [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]
        role = iam.create_role(RoleName="checks", AssumeRolePolicyDocument=_policy(trust))["Role"]
        iam.put_role_policy(RoleName="checks", PolicyName="logs", PolicyDocument=_policy(logs))
        return str(role["Arn"])

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

    def is_looked_at(self, row: Row, run: Run, *probes: str) -> None:
        """Wait until each of these probes has told of a tenant while the fault of a run lasts."""

        def told() -> bool | None:
            attempt = self.attempt(row)
            if attempt is None or attempt.run != run.run:
                return None
            return True if {one.probe for one in attempt.evidence if one.step is Step.DURING} >= set(probes) else None

        wait_until(told, seconds=PATIENCE_SECONDS, what=f"{probes} to tell of {row.id} while the fault lasts")

    def is_building(self, row: Row) -> None:
        """Wait until the attempt at a tenant has seen its build."""

        def seen() -> bool | None:
            attempt = self.attempt(row)
            return True if attempt and any(one.probe == "checks" for one in attempt.evidence) else None

        wait_until(seen, seconds=PATIENCE_SECONDS, what=f"a build of {row.id}")

    def builds(self, row: Row) -> list[str]:
        """The states of the builds of a tenant's project, the newest first, when all of them are over."""
        codebuild, name = self.client("codebuild"), CHECKS.format(type=row.type, id=row.id)

        def over() -> list[str] | None:
            builds = codebuild.batch_get_builds(ids=codebuild.list_builds_for_project(projectName=name)["ids"])
            states = [str(one["buildStatus"]) for one in builds["builds"]]
            return None if "IN_PROGRESS" in states else states

        return wait_until(over, seconds=PATIENCE_SECONDS, what=f"the builds of {name} to end")

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
