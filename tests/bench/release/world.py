"""A release in Granary: its state machine's definition and its functions, on services in simulated time."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from constructs_lib.saas.release_states import ReleaseStates
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.common.cross_account import LookupRoles
from lambdas.common.dynamo import read_item, write_value
from lambdas.common.revisions import release_key
from lambdas.common.settings import DOCUMENTS
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.names import deployment_of_pipeline
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Ring
from lambdas.saas.pipeline_watch import handler as watch
from lambdas.saas.release import handler as release
from lambdas.saas.release_advance import handler as advance
from tests.bench.burst.simulation import Simulation
from tests.bench.release.calls import Calls
from tests.bench.release.dynamo import Dynamo
from tests.bench.release.fleet import HOME, NEW, OLD, POLICY, REGION, row, status_item
from tests.bench.release.machine import Execution, Machine
from tests.bench.release.scenario import Outcome, Scenario
from tests.bench.release.services import Bucket, Parameters, Pipelines, Quotas, Stacks, Tokens, Unused
from tests.unit.lambdas.saas.fakes import START

RUN = "run-1"
_ROWS, _STATUSES, _RELEASES, _BUCKET, _PARAMETER = "rows", "statuses", "releases", "bucket", "/release/current"
_HANDLERS = {"release": release, "release-advance": advance, "pipeline-watch": watch}
_TIMEOUT_MINUTES = 120
_ENVIRONMENT = {
    "AWS_REGION": REGION,
    "PREFIX": "granary",
    "TOOLCHAIN_ACCOUNT": HOME,
    "BOOTSTRAP_QUALIFIER": "hnb659fds",
    "DEPLOYMENTS_TABLE": _ROWS,
    "STATUS_TABLE": _STATUSES,
    "RELEASES_TABLE": _RELEASES,
    "RELEASES_BUCKET": _BUCKET,
    "RELEASE_PARAMETER": _PARAMETER,
    "PIPELINE_TIMEOUT_MINUTES": str(_TIMEOUT_MINUTES),
    "LIFECYCLE_MACHINE": "lifecycle",
}
_COUNTS = ("succeeded", "failed", "held", "skipped", "rolled_back", "rollback_failed")


class World:
    """Everything that a release meets."""

    def __init__(self, scenario: Scenario) -> None:
        pace = scenario.pace
        self._scenario = scenario
        self.calls = Calls()
        self.simulation = Simulation()
        self.dynamo, self.bucket = Dynamo(self.calls), Bucket(self.calls)
        self.parameters = Parameters(calls=self.calls)
        self.pipelines = Pipelines(
            simulation=self.simulation,
            calls=self.calls,
            bucket=self.bucket,
            seconds=pace.pipeline,
            event_seconds=pace.event,
            tell=self._tell,
            fails=self._fails,
        )
        self.machine = Machine(
            simulation=self.simulation,
            definition=_definition(),
            functions={name: self._function(name) for name in _HANDLERS},
            read_items=self.bucket.read,
            function_seconds=pace.function,
        )
        self._failing = {row(number)["id"] for number in range(scenario.failing)}
        self._clients = {
            "dynamodb": self.dynamo,
            "s3": self.bucket,
            "codepipeline": self.pipelines,
            "stepfunctions": Tokens(calls=self.calls, answer=self.machine.answer),
            "ssm": self.parameters,
            "service-quotas": Quotas(calls=self.calls),
            "cloudformation": Stacks(calls=self.calls),
        }
        self._settle()

    def run(self) -> Outcome:
        """Release, and let time pass until nothing happens any more."""
        new = _release(NEW, minutes=60)
        with _installed(self._client, self._scenario, self.simulation):
            execution = self.machine.start(RUN, {"release": asdict(new), "resumes": ""})
            self.simulation.run()
        return self._outcome(execution)

    def _settle(self) -> None:
        """Put the fleet there, at the old revision."""
        old = {"id": f"release/{OLD}", "release": _release(OLD, minutes=0).to_json()}
        _fill(self.dynamo, _RELEASES, old)
        for number in range(self._scenario.deployments):
            _fill(self.dynamo, _ROWS, row(number))
            _fill(self.dynamo, _STATUSES, status_item(number))

    def _function(self, name: str) -> Callable[[Any], Any]:
        def invoke(event: Any) -> Any:
            self.calls.invocations[name] += 1
            return _HANDLERS[name].handler(event, None)

        return invoke

    def _tell(self, pipeline: str) -> None:
        self._function("pipeline-watch")({"detail": {"pipeline": pipeline}})

    def _fails(self, pipeline: str, revision: str) -> bool:
        found = deployment_of_pipeline(pipeline)
        return revision == NEW and found is not None and found[1] in self._failing

    def _client(self, service: str, _region: str | None = None) -> Any:
        return self._clients.get(service, Unused())

    def _outcome(self, execution: Execution) -> Outcome:
        children = [one for one in self.machine.executions if one is not execution]
        items = [read_item(item) for item in self.dynamo.tables[_RELEASES].values()]
        rings = [Ring.from_item(item) for item in items if item["id"].startswith("ring/")]
        statuses = map(read_item, self.dynamo.tables.get(_STATUSES, {}).values())
        return Outcome(
            seconds=execution.ended,
            calls=self.calls,
            transitions=execution.transitions,
            child_transitions=sum(child.transitions for child in children),
            history=execution.events,
            child_history=max((child.events for child in children), default=0),
            largest_bytes=self.machine.largest_bytes,
            most_at_once=self.machine.most_at_once,
            state=next(item["state"] for item in items if item["id"] == f"run/{RUN}"),
            beyond_budget=max(0, *(ring.failed - ring.allowed_failures for ring in rings)),
            revisions=dict(Counter(status["revision_deployed"] for status in statuses)),
            counted={name: sum(getattr(ring, name) for ring in rings) for name in _COUNTS},
        )


@contextmanager
def _installed(client: Callable[..., Any], scenario: Scenario, simulation: Simulation) -> Iterator[None]:
    """Let the handlers work in the simulation: its clients, its clock, and the settings of their functions."""
    with ExitStack() as stack:
        package = Path(stack.enter_context(TemporaryDirectory()))
        (package / DOCUMENTS).mkdir()
        for name, policy in (("release_policy", scenario.policy), ("target_policy", POLICY)):
            (package / DOCUMENTS / f"{name}.json").write_text(policy.to_json(), encoding="utf-8")
        stack.enter_context(patch.dict("os.environ", {**_ENVIRONMENT, "LAMBDA_TASK_ROOT": str(package)}))
        stack.enter_context(patch.object(clock, "now", simulation.clock))
        stack.enter_context(patch.object(LookupRoles, "client", lambda _, service, **__: client(service)))
        for handler in _HANDLERS.values():
            stack.enter_context(patch.object(handler, "client", client))
            stack.callback(_forget, handler)
            _forget(handler)
        yield


def _forget(handler: Any) -> None:
    for cached in vars(handler).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


def _definition() -> Mapping[str, Any]:
    states = ReleaseStates(
        release="release", advance="release-advance", bucket=_BUCKET, pipeline_timeout_seconds=_TIMEOUT_MINUTES * 60
    )
    definition: Mapping[str, Any] = json.loads(json.dumps(states.definition()))
    return definition


def _release(revision: str, *, minutes: int) -> Release:
    return Release(
        revision=revision,
        key=release_key(revision),
        version_id=f"version-of-{revision}",
        sha256=hashlib.sha256().hexdigest(),
        published_at=stamp(START + timedelta(minutes=minutes - 120)),
        contract=CONTRACT,
    )


def _fill(dynamo: Dynamo, table: str, item: Mapping[str, Any] | None) -> None:
    if item:
        typed = {name: write_value(value) for name, value in item.items()}
        dynamo.tables.setdefault(table, {})[item["id"]] = typed
