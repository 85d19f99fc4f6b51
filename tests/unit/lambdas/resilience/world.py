"""All that an attempt touches, in memory: FIS, CodePipeline, the table, alarms, an address, saas's query, the clock.

`trouble` is asked at each call with its name; it may raise, as a function does that is killed there, or do something
else in between, as somebody does who works at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.resilience.fis_trigger import handler as function
from lambdas.resilience.fis_trigger.home import AtHome
from lambdas.resilience.fis_trigger.trying import Trying
from lambdas.resilience.fis_trigger.turns import Turns
from lambdas.resilience.model.attempt import Attempt, Evidence, Injected, Step
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.model.plan import Chaos, Experiment, Fault, Mode, Probe, RingPlan
from lambdas.resilience.store.attempts import AttemptsTable
from lambdas.resilience.store.experiments import Experiments
from lambdas.resilience.store.probes import Probes
from tests.unit.lambdas.resilience.codebuild import CodeBuild
from tests.unit.lambdas.resilience.fis import Fis, refused
from tests.unit.lambdas.saas.fakes import FakeClock

NAMES = ResilienceNames(prefix="granary")
TIMEOUT = 60
STOP = Experiment(
    name="stop-a-task", duration_minutes=5, faults=(Fault(name="stop", action="aws:ecs:stop-task"),), stop_alarms=("a",)
)
BUILD = Probe(name="checks", build="{type}-{id}-checks")
PROBES = (Probe(name="errors", alarm="{type}-{id}-errors"), Probe(name="home", url="{output.Endpoint}", samples=2))
CHAOS = Chaos(
    rings={
        "canary": RingPlan(mode=Mode.RUN, experiment=STOP, probes=PROBES),
        "dry": RingPlan(mode=Mode.DRY_RUN, experiment=STOP),
        "check": RingPlan(mode=Mode.VALIDATION, probes=PROBES),
        "build": RingPlan(mode=Mode.VALIDATION, probes=(BUILD, *PROBES)),
    },
    experiments={STOP.name: STOP},
)
RELEASE = {"granary-sha256": "f" * 64}


class Killed(BaseException):
    """The function was stopped: nothing of it runs any more."""


@dataclass
class Table:
    """The table, as far as the room uses it."""

    call: Callable[[str], None]
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: int = 0

    def get_item(self, *, TableName: str, Key: Mapping[str, Any], ConsistentRead: bool) -> dict[str, Any]:
        assert ConsistentRead
        self.call("get item")
        self.reads += 1
        item = self.items.get(Key["id"]["S"])
        return {"Item": item} if item else {}

    def put_item(self, *, Item: dict[str, Any], ExpressionAttributeValues: Mapping[str, Any], **_: Any) -> None:
        self.call("put item before")
        there = self.items.get(Item["id"]["S"])
        if there is not None and there["version"] != ExpressionAttributeValues[":version"]:
            raise refused("ConditionalCheckFailedException", "PutItem")
        self.items[Item["id"]["S"]] = Item
        self.call("put item after")

    def get_paginator(self, operation: str) -> Table:
        assert operation == "query"
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for name in [name for name, item in self.items.items() if item.get("open") == {"S": "yes"}]:
            yield {"Items": [{"id": {"S": name}}]}


@dataclass
class Pipeline:
    """The tenant's pipeline: its executions, and jobs of its last action."""

    call: Callable[[str], None]
    executions: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def begin(self, execution: str, token: str = "") -> dict[str, Any]:
        """A new job; the event with which the function is invoked."""
        self.executions.setdefault(execution, "InProgress")
        job = f"job-{len(self.jobs)}"
        self.jobs[job] = {"execution": execution, "token": token, "answer": None}
        parameters = json.dumps({"deployment": "acme", "execution": execution})
        data = {"actionConfiguration": {"configuration": {"UserParameters": parameters}}}
        return {"CodePipeline.job": {"id": job, "data": data | ({"continuationToken": token} if token else {})}}

    def _answer(self, job: str, answer: tuple[str, str]) -> None:
        known = self.jobs[job]
        if known["answer"] is not None or self.executions[known["execution"]] != "InProgress":
            raise refused("InvalidJobStateException", "PutJobResult")
        known["answer"] = answer

    def put_job_success_result(self, *, jobId: str, continuationToken: str = "", **details: Any) -> None:
        self.call("answer before")
        said = details.get("executionDetails", {}).get("summary", "")
        self._answer(jobId, ("later", continuationToken) if continuationToken else ("passed", said))
        if not continuationToken:
            self.executions[self.jobs[jobId]["execution"]] = "Succeeded"
        self.call("answer after")

    def put_job_failure_result(self, *, jobId: str, failureDetails: Mapping[str, str]) -> None:
        self.call("answer before")
        self._answer(jobId, ("failed", failureDetails["message"]))
        self.executions[self.jobs[jobId]["execution"]] = "Failed"
        self.call("answer after")

    def due(self) -> Iterator[tuple[str, str]]:
        """Executions whose last job is to be gone on with, and the token."""
        last = {job["execution"]: job["answer"] for job in self.jobs.values()}
        for execution, answer in last.items():
            if answer and answer[0] == "later" and self.executions[execution] == "InProgress":
                yield execution, answer[1]

    def said(self, execution: str) -> tuple[str, str] | None:
        """The final answer of an execution's action."""
        found = [job["answer"] for job in self.jobs.values() if job["execution"] == execution and job["answer"]]
        return next((answer for answer in found if answer[0] != "later"), None)


@dataclass
class World:
    """A tenant in a factory; `seen` is each look at it, with the state of its experiment."""

    trouble: Callable[[str], None] = lambda _: None
    clock: FakeClock = field(default_factory=FakeClock)
    alarm: str = "OK"
    answers: bool = True
    ring: str = "canary"
    outcome: str = "running"
    rollback: bool = False
    seen: list[tuple[str, str, bool]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        def call(name: str) -> None:
            self.trouble(name)  # it changes

        self.started_at = stamp(self.clock())
        self.fis, self.table, self.pipeline = Fis(on_call=call), Table(call), Pipeline(call)
        self.codebuild = CodeBuild(on_call=call)
        trying = Trying(
            attempts=AttemptsTable(client=self.table, table="attempts"),
            side=lambda attempt: self,
            home=AtHome(s3=self, bucket="releases", events=self, names=NAMES),
            clock=self.clock,
        )
        self.turns = Turns(trying=trying, chaos=CHAOS, ask=self._ask, timeout_minutes=TIMEOUT, clock=self.clock)
        self._experiments = Experiments(client=self.fis, role="arn:aws:iam::222222222222:role/experiment")

    def __enter__(self) -> World:
        self._patches = ExitStack()
        for name, fake in (
            ("_turns", lambda: self.turns),
            ("_trying", lambda: self.turns.trying),
            ("_ask", self._ask),
            ("client", {"codepipeline": self.pipeline}.__getitem__),
        ):
            self._patches.enter_context(patch.object(function, name, fake))
        self._patches.enter_context(patch.object(clock, "now", self.clock))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Invoke the function."""
        return function.handler(event, None)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        self.trouble("ask")
        self.asked += 1
        execution = question.get("execution", "")
        return {
            "deployment": "acme",
            "known": True,
            "type": "silo",
            "account": "222222222222",
            "region": "eu-west-1",
            "revision_wanted": "r2",
            "ring": self.ring,
            "run": "r2-c0ffee00",
            "started_at": self.started_at,
            "outcome": self.outcome,
            "stack": "silo-acme-resources",
            "rollback": self.rollback,
            "execution_status": self.pipeline.executions.get(execution, ""),
        }

    # The tenant's account and Region

    def open(self) -> None:
        self.trouble("open")

    def inject(self, attempt: Attempt, experiment: Experiment) -> str:
        return self._experiments.inject(attempt, experiment)

    def status(self, attempt: Attempt) -> Injected:
        self.trouble("status")
        return self._experiments.status(attempt)

    def undo(self, attempt: Attempt) -> None:
        if attempt.touched:
            self.open()
            self._probes.stop_builds(attempt)
            self._experiments.undo(attempt)

    def look(self, attempt: Attempt, step: Step) -> tuple[Evidence, ...]:
        self.trouble("look")
        states = {one["state"]["status"] for one in self.fis.experiments.values() if self._is_of(one, attempt)}
        self.seen.append((attempt.id, "".join(states), self.alarm == "OK" and self.answers))
        return self._probes.look(attempt, step)

    @property
    def _probes(self) -> Probes:
        def client(service: str) -> Any:
            return self.codebuild if service == "codebuild" else self

        return Probes(client=client, clock=self.clock, get=lambda *_, **__: 200 if self.answers else None)

    @staticmethod
    def _is_of(experiment: Mapping[str, Any], attempt: Attempt) -> bool:
        return bool(experiment["tags"]["granary:attempt"] == attempt.id)

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        assert AlarmNames == ["silo-acme-errors"]
        return {"MetricAlarms": [{"AlarmName": AlarmNames[0], "StateValue": self.alarm}] if self.alarm else []}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        assert StackName == "silo-acme-resources"
        return {"Stacks": [{"Outputs": [{"OutputKey": "Endpoint1A2B", "OutputValue": "acme.example.com"}]}]}

    # At home

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Metadata": RELEASE}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str) -> None:
        self.trouble("keep")
        if Key in self.kept:
            raise refused("PreconditionFailed", "PutObject")
        self.kept[Key] = Body.decode()

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.trouble("tell")
        self.told += ((one["DetailType"], json.loads(one["Detail"])["outcome"]) for one in Entries)
        return {"FailedEntryCount": 0, "Entries": [{}]}
