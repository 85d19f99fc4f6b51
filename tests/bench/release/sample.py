"""The public sample's design as a reference: one build that starts one pipeline after the other and asks how it is."""

from __future__ import annotations

from tests.bench.release.calls import Calls
from tests.bench.release.scenario import Outcome, Scenario

# https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html: a build is ended after 36 hours.
BUILD_LIMIT_SECONDS = 36 * 3600.0


def run_sample(scenario: Scenario) -> Outcome:
    """Release one deployment after the other; a build that lives for as long as it takes is assumed."""
    calls, pace, now = Calls(), scenario.pace, 0.0
    calls.count("dynamodb", "Scan")
    for _ in range(scenario.deployments):
        calls.count("codepipeline", "StartPipelineExecution")
        over = now + pace.pipeline
        while True:
            calls.count("codepipeline", "GetPipelineExecution")
            if now >= over:
                break
            now += pace.poll
    return Outcome(seconds=now, calls=calls)
