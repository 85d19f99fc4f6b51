"""The public sample's design under the same burst: one StartBuild a row, whose errors are logged and forgotten."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial

from botocore.exceptions import ClientError

from tests.bench.burst.codebuild import CALL_SECONDS, Build, CodeBuild
from tests.bench.burst.scenario import Outcome, Pace, Scenario
from tests.bench.burst.simulation import Process, Simulation
from tests.bench.burst.stream import Delivery, Record, Stream

# Defaults of the library's stream source, which the sample leaves as they are.
BATCH_SIZE, WINDOW_SECONDS = 100, 0.0


class Sample:
    """A stream function that starts a build for each row, and builds that deploy one tenant each."""

    def __init__(self, scenario: Scenario, *, seed: int, pace: Pace) -> None:
        self._scenario, self._pace = scenario, pace
        self._simulation = Simulation()
        self._deployed: list[str] = []
        self._last = 0.0
        self._codebuild = CodeBuild(self._simulation, limits=scenario.limits, seed=seed, work=self._provision)
        delivery = Delivery(batch_size=BATCH_SIZE, window_seconds=WINDOW_SECONDS, times=scenario.deliveries)
        self._stream = Stream(self._simulation, delivery=delivery, function=self._start_builds)

    def run(self) -> Outcome:
        """Put the rows, and let time pass until nothing happens any more."""
        for moment, row in self._scenario.arrivals():
            self._simulation.after(moment, partial(self._stream.put, row))
        self._simulation.run()
        return Outcome(
            rows=self._scenario.rows,
            provisioned=Counter(self._deployed),
            last_seconds=self._last,
            builds=len(self._codebuild.builds),
            batches=self._stream.batches,
            counts=self._codebuild.counts,
        )

    def _start_builds(self, batch: Sequence[Record], process: Process) -> Sequence[str]:
        process.sleep(CALL_SECONDS)
        for record in batch:
            try:
                self._codebuild.start(_request(record["dynamodb"]["Keys"]["id"]["S"]))
            except ClientError:
                continue  # the sample logs it and tells the stream that all is well
        return []

    def _provision(self, build: Build, process: Process) -> None:
        process.sleep(self._pace.build_start + self._pace.synth(1) + self._pace.deploy)
        self._deployed.extend(build.ids)
        self._last = self._simulation.now


def _request(deployment_id: str) -> dict[str, object]:
    variables = [{"name": "DEPLOYMENT_IDS", "value": json.dumps([deployment_id])}]
    return {"projectName": "provisioning", "environmentVariablesOverride": variables}
