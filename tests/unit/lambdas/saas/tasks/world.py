"""A tenant whose pipeline asks for a task, among fakes: what is begun is counted, and ends as a test says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.common.pipeline_jobs import Later
from lambdas.saas.model.status import ForwardOnly, Phase, Placement, Status
from lambdas.saas.model.task_runs import TaskRun
from lambdas.saas.model.tasks import Ecs, Task
from lambdas.saas.tasks.asking import Execution
from lambdas.saas.tasks.target import Seen
from lambdas.saas.tasks.work import Work
from tests.unit.lambdas.saas.fakes import FakeClock

ACCOUNT, REGION = "222222222222", "eu-west-1"
GIVEN = {
    "deployment": "acme",
    "type": "silo",
    "account": ACCOUNT,
    "region": REGION,
    "stage": "Deploy",
    "stack": "silo-acme-data",
    "task": "Migrate",
    "when": "before",
    "of": "silo-acme-resources",
    "execution": "e1",
}
ECS = Task(minutes=30, ecs=Ecs(cluster="silo-acme", definition="silo-acme-migrate:1", subnets=("subnet-1",)))
FUNCTION = Task(minutes=10, function="silo-acme-migrate")


@dataclass
class FakeTarget:
    """What runs: by token, so that what is begun twice with one is one. `fail` has the next call fail."""

    world: World

    def begin(self, token: str, request: Mapping[str, str]) -> Seen:
        self.world.requests.append(dict(request))
        self.world.calls.append(token)
        self.world.take_failure("begin")
        seen = self.look(token) if self.world.task.function else Seen(ref=token)
        self.world.take_failure("answer")
        return seen

    def look(self, ref: str) -> Seen:
        self.world.take_failure("look")
        over = self.world.ends is not None
        return Seen(
            ref=ref,
            over=over,
            gone=self.world.forgotten,
            ok=bool(self.world.ends),
            said=f"{ref[:4]} is over" if over else "",
        )

    def stop(self, ref: str, why: str) -> None:
        del why
        self.world.stopped.append(ref)


@dataclass
class World:
    """Everything that a job touches; `ends` is None while what runs goes on, else whether it is well.

    What is `forgotten` is not known to its service any more.
    """

    task: Task = ECS
    ends: bool | None = None
    forgotten: bool = False
    execution: Execution = field(default_factory=lambda: Execution(revision="rev2"))
    runs: dict[str, TaskRun] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    status: Status = field(
        default_factory=lambda: Status(
            id="acme",
            type="silo",
            phase=Phase.UPDATING,
            revision_deployed="rev1",
            placed=(Placement(type="silo", account=ACCOUNT, region=REGION),),
        )
    )
    read_outputs: bool = False
    marks: list[ForwardOnly] = field(default_factory=list)

    def take_failure(self, where: str) -> None:
        if error := self.failures.pop(where, None):
            raise error

    # The ports

    def get(self, key: str) -> Any:
        return self.status if key == "acme" else self.runs.get(key)

    def keep(self, deployment_id: str, mark: ForwardOnly) -> bool:
        assert deployment_id == self.status.id
        self.marks.append(mark)
        return True

    def write(self, run: TaskRun, was: TaskRun | None) -> bool:
        if self.runs.get(run.id) != was:
            return False
        self.runs[run.id] = run
        return True

    def outputs(self, stack: str) -> Mapping[str, str]:
        self.read_outputs = True
        return {"GranaryTaskMigrate": self.task.to_json()} if stack == "silo-acme-data" else {}

    def target(self, task: Task) -> FakeTarget:
        assert task == self.task
        self.take_failure("target")
        return FakeTarget(self)

    def read_execution(self) -> Execution:
        # The first look is before anything is known of the task.
        if self.read_outputs:
            self.take_failure("execution")
        return self.execution

    # What tests do

    @property
    def work(self) -> Work:
        return Work(
            statuses=self,
            runs=self,
            execution=lambda _: self.read_execution(),
            place=lambda _: self,
            clock=self.clock,
        )

    def job(self, job: str = "job1", *, first: bool = True, **given: Any) -> str | Later:
        return self.work.job({**GIVEN, **given}, job=job, first=first)

    @property
    def begun(self) -> int:
        """How many different things were begun."""
        return len(set(self.calls))
