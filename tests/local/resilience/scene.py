"""A factory that experiments with its canaries, under test: what scenarios do to it, and what they wait for."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.resilience.model.names import ResilienceNames
from lambdas.saas.model.runs import Run, RunState
from local_cloud.factory.chaos import ENDED, STARTED, ChaosFactory
from local_cloud.factory.granary import NAMES, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.releasing import ended

CHAOS = ResilienceNames(prefix=NAMES.prefix)


@dataclass(frozen=True, kw_only=True)
class Released:
    """A release that is over."""

    version: str
    run: Run


@dataclass(frozen=True, kw_only=True)
class Scene(ChaosFactory):
    """The factory, with ears."""

    factory: Factory

    def released(self) -> Released:
        """Release a commit that changes nothing; the canary has to stop it."""
        version = self.push_nothing()
        self.factory.released(version)
        return Released(version=version, run=ended(self.factory, version, RunState.STOPPED))

    def resumed(self, stopped: Released) -> Run:
        """Resume a release; its run as it was begun."""
        done = self.granary.cli("resume", "--no-follow")
        assert done.returncode == 0, done.stderr

        def begun() -> Run | None:
            run = self.granary.run(stopped.version)
            return run if run and run.run != stopped.run.run else None

        return wait_until(begun, seconds=PATIENCE_SECONDS, what="the resumed run")

    def forget(self, row: Row) -> None:
        """Delete what is known of attempts at a tenant, as the runbook says."""
        key = {"id": {"S": row.id}}
        self.granary.client("dynamodb").delete_item(TableName=CHAOS.attempts_table, Key=key)

    def hears(self, run: Run, *wanted: tuple[str, str]) -> None:
        """Wait until the bus has told so of experiments in a run: kinds and outcomes."""

        def heard() -> bool | None:
            told = [one for one in self.factory.bus.messages() if one["detail-type"] in (STARTED, ENDED)]
            found = [(one["detail-type"], one["detail"]["outcome"]) for one in told if one["detail"]["run"] == run.run]
            return True if set(found) == set(wanted) else None  # what is told may be told again

        wait_until(heard, seconds=PATIENCE_SECONDS, what=f"the bus to tell {wanted}")
