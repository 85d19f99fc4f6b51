"""A fleet in memory: its tables, its pipelines, and the release machines that work on it, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.evidence.verdict import Judged
from lambdas.common.proven_names import UnprovenError
from lambdas.common.revisions import release_key
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Item, ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.model.status import Phase, Placement, StackRef, Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.pipeline_watch.executions import ActionRun, Execution
from lambdas.saas.pipeline_watch.release_watch import ReleaseWatch
from lambdas.saas.pipeline_watch.stacks import Place
from lambdas.saas.pipeline_watch.watch import Watch
from lambdas.saas.release.answers import read_answer
from lambdas.saas.release.begin import Asked, Beginning
from lambdas.saas.release.decide import Done
from lambdas.saas.release.progress import Progress
from lambdas.saas.release_advance.advance import Advance, Turn
from lambdas.saas.release_advance.turns import Turns
from tests.unit.lambdas.saas.fakes import FakeClock, FakeDeployments, FakeLifecycles, FakeStatuses
from tests.unit.lambdas.saas.pipeline_watch.pipelines import FakeFacts
from tests.unit.lambdas.saas.release_fakes import (
    FakeAlarms,
    FakeReleaseStatuses,
    FakeRuns,
    FakeShelf,
    FakeTenantPipelines,
    FakeTokens,
)

HOME, ACCOUNT, REGION = "111111111111", "222222222222", "eu-west-1"
TARGETS = TargetPolicy(partition="aws", regions=frozenset({REGION, "us-east-1"}), accounts=frozenset({ACCOUNT}))
POLICY = ReleasePolicy(
    concurrency=2,
    rings=(
        RingPolicy(name="canary", percent=1, minimum=1),
        RingPolicy(name="early", percent=40, concurrency=3, max_failures=1),
        RingPolicy(name="general", max_failure_percent=20),
    ),
)
OLD = "old"
_PUBLISHED = 10


def release_of(number: int) -> Release:
    """The n-th release, in the order of publication."""
    revision = OLD if number == 0 else f"rev{number}"
    return Release(
        revision=revision,
        key=release_key(revision),
        version_id=f"v{number}",
        sha256=f"{number}" * 64,
        published_at=stamp(FakeClock().pass_time(minutes=number)),
        contract=CONTRACT,
    )


def row(deployment_id: str, **more: Any) -> dict[str, Any]:
    return {"id": deployment_id, "type": "silo", "account": ACCOUNT, "region": REGION, **more}


def provisioned(deployment_id: str, *, revision: str = OLD) -> Status:
    """The status of a deployment that has stood for some time."""
    return Status(
        id=deployment_id,
        type="silo",
        account=ACCOUNT,
        region=REGION,
        phase=Phase.ACTIVE,
        revision_wanted=revision,
        revision_deployed=revision,
        pipeline_stack=StackRef(kind="pipeline", stack_id=f"arn:{deployment_id}", account=HOME, region=REGION),
        placed=(Placement(type="silo", account=ACCOUNT, region=REGION),),
    )


@dataclass
class Histories:
    """Executions of all pipelines, the newest last; of their actions only those are told that are in `actions`."""

    clock: FakeClock
    all: dict[str, list[Execution]] = field(default_factory=dict)
    actions: dict[str, list[ActionRun]] = field(default_factory=dict)

    def executions(self, pipeline: str) -> Iterator[Execution]:
        yield from reversed(self.all.get(pipeline, []))

    def runs(self, pipeline: str, execution_id: str) -> list[ActionRun]:
        return self.actions.get(execution_id, [])

    def begin(self, deployment_id: str, revision: str, execution_id: str) -> None:
        execution = Execution(id=execution_id, status="InProgress", started=self.clock(), revision=revision)
        self.all.setdefault(pipeline_name("silo", deployment_id), []).append(execution)

    def finish(self, pipeline: str, execution_id: str, status: str, **changes: Any) -> None:
        self.all[pipeline] = [
            replace(one, status=status, summary=f"it was {status}", **changes) if one.id == execution_id else one
            for one in self.all[pipeline]
        ]

    def running(self) -> list[tuple[str, Execution]]:
        return [(name, one) for name, found in self.all.items() for one in found if one.status == "InProgress"]


@dataclass
class FakePlaces:
    """The builds that CodeBuild takes."""

    known: int | None

    def count(self) -> int | None:
        return self.known


@dataclass
class FakeVerdicts:
    """What stands against releases, by revision: going on with them, and going back to them."""

    against: dict[str, str] = field(default_factory=dict)
    against_back: dict[str, str] = field(default_factory=dict)
    survived: set[str] = field(default_factory=set)

    def why_not(self, release: Release, *, forward: bool = True) -> str:
        return (self.against if forward else self.against_back).get(release.revision, "")

    def why_not_survived(self, release: Release, *, rings: Sequence[str]) -> str:
        return "; ".join(f"no tenant of ring {ring} has survived" for ring in rings if ring not in self.survived)

    def judged(self, release: Release) -> Judged:
        return Judged()


@dataclass
class World:
    """Everything that a release touches."""

    policy: ReleasePolicy = POLICY
    clock: FakeClock = field(default_factory=FakeClock)
    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    runs: FakeRuns = field(default_factory=FakeRuns)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    alarms: FakeAlarms = field(default_factory=FakeAlarms)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    verdicts: FakeVerdicts = field(default_factory=FakeVerdicts)
    places: FakePlaces = field(default_factory=lambda: FakePlaces(known=None))
    pipelines: FakeTenantPipelines = field(default_factory=FakeTenantPipelines)
    deleted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.histories = Histories(self.clock)
        self.pipelines.on_start = self.histories.begin
        self.releases = FakeReleaseStatuses(self.statuses, self.runs)
        self.runs.keep(release_of(0))
        for number in range(_PUBLISHED):
            self.shelf.publish(release_of(number))
        self.clock.pass_time(minutes=_PUBLISHED)

    def settle(self, *ids: str, **more: Any) -> None:
        """Add deployments that were provisioned some time ago."""
        for deployment_id in ids:
            self.deployments.items[deployment_id] = row(deployment_id, **more)
            self.statuses.items[deployment_id] = provisioned(deployment_id)

    @property
    def beginning(self) -> Beginning:
        return Beginning(
            policy=self.policy,
            targets=TARGETS,
            deployments=self.deployments,
            statuses=self.releases,
            runs=self.runs,
            shelf=self.shelf,
            verdicts=self.verdicts,
            tokens=self.tokens,
            places=self.places,
            pipelines=lambda: {pipeline_name("silo", name) for name in self.statuses.items} - self.deleted,
            clock=self.clock,
        )

    @property
    def progress(self) -> Progress:
        return Progress(
            runs=self.runs,
            statuses=self.releases,
            shelf=self.shelf,
            alarms=self.alarms,
            verdicts=self.verdicts,
            clock=self.clock,
        )

    @property
    def turns(self) -> Turns:
        return Turns(
            advance=Advance(
                targets=TARGETS,
                deployments=self.deployments,
                statuses=self.releases,
                runs=self.runs,
                pipelines=self.pipelines,
                verdicts=self.verdicts,
                tokens=self.tokens,
                timeout_minutes=120,
                clock=self.clock,
            )
        )

    @property
    def watch(self) -> Watch:
        return Watch(
            statuses=self.statuses,
            releases=ReleaseWatch(statuses=self.releases, runs=self.runs, tokens=self.tokens),
            lifecycles=FakeLifecycles(),
            history=self.histories,
            facts=FakeFacts(),
            home=Place(account=HOME, region=REGION),
            clock=self.clock,
        )

    def look(self, deployment_id: str) -> None:
        """Have the watch look at a pipeline, a moment after whatever happened."""
        self.clock.pass_time(milliseconds=1)
        self.watch.look(pipeline_name("silo", deployment_id))

    def run(self, name: str) -> Run:
        run = self.runs.run(name)
        assert run, f"run {name} did not begin"
        return run

    def rings(self, name: str) -> list[Ring]:
        return self.runs.rings(self.run(name))


def whose(answer: Mapping[str, Any]) -> str:
    """Who proves to have said it: AWS's part in a test."""
    if "proof" not in answer:
        raise UnprovenError("nobody has signed it")
    return str(answer["proof"])


@dataclass
class Machine:
    """One execution of the release machine; `move` is what `next` has answered, `waiting` are the map's items."""

    world: World
    name: str
    release: Release
    resumes: str = ""
    catch_up: bool = False
    everyone: bool = False
    move: dict[str, Any] | None = None
    ended: str = ""
    pending: list[Item] = field(default_factory=list)
    waiting: dict[str, Item] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    counter: int = 0

    def step(self) -> None:
        """Begin, or take the next decision."""
        if self.move is None:
            self.world.beginning.begin(
                self.name,
                release=self.release,
                resumes=self.resumes,
                execution=self.name,
                asked=Asked(catch_up=self.catch_up, everyone=self.everyone),
            )
            self.move = {"action": "begin", "ring": -1, "answer": {}}
            return
        said = self.move["answer"]
        done = Done(action=self.move["action"], ring=self.move["ring"], answer=read_answer(said, lambda: whose(said)))
        self.move = dict[str, Any](self.world.progress.next(self.name, done))
        if self.move["action"] in ("finish", "superseded", "stop"):
            self.ended = self.move["action"]
        elif self.move["action"] in ("advance", "roll_back"):
            self.pending = list(self.world.shelf.objects[self.move["items_key"]])
        elif self.move["action"] == "wait":
            self.world.clock.pass_time(seconds=self.move["seconds"])

    @property
    def may_step(self) -> bool:
        return not (self.ended or self.pending or self.waiting)

    @property
    def may_begin(self) -> bool:
        return bool(self.pending) and self.move is not None and len(self.waiting) < self.move["concurrency"]

    def begin_item(self, item: Item | None = None, *, twice: bool = False) -> None:
        """Let the next item's turn come; `twice` is a Lambda function that is invoked again."""
        item = item or self.pending.pop(0)
        self.counter += 1
        token = f"{self.name}:{self.counter}"
        self.waiting[token] = item
        for _ in range(1 + twice):
            self.world.turns.take(self.op, self._turn(item, token))

    @property
    def op(self) -> str:
        assert self.move
        return str(self.move["action"])

    def take_answers(self, *, tries: int = 3) -> None:
        """Let the tasks go on that were answered: an item is over, or busy, and then given up after some tries."""
        for token, item in list(self.waiting.items()):
            if not (answers := self.world.tokens.of(token)):
                continue
            del self.waiting[token]
            error = answers[0] if "Error" in answers[0] else None
            self.tries[item.id] = self.tries.get(item.id, 0) + 1
            if error and self.tries[item.id] < tries:
                self.begin_item(item)
            elif error:
                self.world.turns.give_up(self._turn(item, ""), error)

    def time_out(self) -> None:
        """Let the oldest task that waits time out."""
        token, item = next(iter(self.waiting.items()))
        del self.waiting[token]
        self.world.turns.give_up(self._turn(item, ""), {"Error": "States.Timeout", "Cause": ""})

    def _turn(self, item: Item, token: str) -> Turn:
        assert self.move
        return Turn(run=self.name, ring=self.move["ring"], item=item, token=token)


def drive(world: World, machine: Machine, *, fails: frozenset[str] = frozenset(), limit: int = 500) -> None:
    """Run a machine to its end; each pipeline succeeds, except that a release fails for those in `fails`."""
    for _ in range(limit):
        if machine.ended:
            return
        drive_once(world, machine, fails=fails)
    raise AssertionError(f"run {machine.name} does not end: {machine.move} {machine.waiting}")


def drive_once(world: World, machine: Machine, *, fails: frozenset[str] = frozenset()) -> None:
    """Let the next thing happen."""
    machine.take_answers()
    if machine.may_step:
        machine.step()
    elif machine.may_begin:
        machine.begin_item()
    else:
        for pipeline, execution in world.histories.running():
            deployment_id = pipeline.removeprefix("silo-").removesuffix("-pipeline")
            failed = deployment_id in fails and execution.revision == machine.release.revision
            world.histories.finish(pipeline, execution.id, "Failed" if failed else "Succeeded")
            world.look(deployment_id)
