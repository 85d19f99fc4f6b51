"""Whatever happens, and whoever dies: no fault and no build outlives its attempt, an attempt has one experiment or one
build, each action one answer, and nobody passes of whom nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.evidence.verdict import Outcome, Verdict
from tests.unit.lambdas.resilience.fis import refused
from tests.unit.lambdas.resilience.world import Killed, World

# What goes wrong at a call, by its number, and how often a function comes to so many calls.
_TROUBLES = ("killed", "throttled", "broken", "denied", "stop", "sweep", "again")
# Mostly nothing does, or nobody would come far.
_trouble = st.one_of(st.none(), st.none(), st.none(), st.tuples(st.integers(0, 14), st.sampled_from(_TROUBLES)))
_STATES = (*("running", "completed") * 4, "stopped", "failed", "cancelled")
_ALARMS = ("OK", "OK", "OK", "ALARM", "INSUFFICIENT_DATA", "")
_RINGS = ("canary", "canary", "canary", "dry", "check", "build", "general")
_BUILT = ("SUCCEEDED", "SUCCEEDED", "FAILED", "FAULT", "STOPPED")


class Attempts(RuleBasedStateMachine):
    """A tenant to which releases come; jobs are lost, come twice, or meet whoever stops them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.__enter__()
        self.delivered: list[Mapping[str, Any]] = []
        # CodePipeline invokes asynchronously: Lambda has two more tries for what has failed.
        self.tries: list[tuple[Mapping[str, Any], int]] = []
        self.number = 0

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.world.__exit__()

    # What happens

    @precondition(lambda self: "InProgress" not in self.world.pipeline.executions.values())
    @rule(trouble=_trouble, ring=st.sampled_from(_RINGS))
    def a_release_comes(self, trouble: Any, ring: str) -> None:
        self.number += 1
        self.world.ring, self.world.outcome, self.world.started_at = ring, "running", stamp(self.world.clock())
        self.world.alarm, self.world.answers, self.world.fis.room = "OK", True, 5
        self.invoke(self.world.pipeline.begin(f"e{self.number}"), trouble)

    @precondition(lambda self: any(self.world.pipeline.due()))
    @rule(trouble=_trouble, to=st.sampled_from(_STATES))
    def codepipeline_asks_again(self, trouble: Any, to: str) -> None:
        self.fis_goes_on(to)
        self.asks_again(trouble)

    def asks_again(self, trouble: Any = None) -> None:
        self.world.clock.pass_time(seconds=30)
        for execution, token in list(self.world.pipeline.due()):
            self.invoke(self.world.pipeline.begin(execution, token), trouble)

    @precondition(lambda self: self.tries)
    @rule(trouble=_trouble)
    def lambda_tries_again(self, trouble: Any) -> None:
        event, left = self.tries.pop(0)
        self.invoke(event, trouble, left=left)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), trouble=_trouble)
    def a_job_comes_twice(self, data: st.DataObject, trouble: Any) -> None:
        self.invoke(data.draw(st.sampled_from(self.delivered)), trouble, left=0)

    def fis_goes_on(self, to: str) -> None:
        for one in self.world.fis.live():
            one["state"] |= {"status": to, "reason": "as it happens"}

    @precondition(lambda self: self.world.codebuild.live())
    @rule(to=st.sampled_from(_BUILT), known=st.booleans())
    def a_build_ends(self, to: str, known: bool) -> None:
        for one in self.world.codebuild.live():
            one["buildStatus"] = to
        if not known:  # CodeBuild knows tokens for five minutes
            self.world.codebuild.tokens.clear()

    @rule(alarm=st.sampled_from(_ALARMS), answers=st.sampled_from((True, True, False)))
    def the_tenant_changes(self, alarm: str, answers: bool) -> None:
        self.world.alarm, self.world.answers = alarm, answers

    @rule(room=st.sampled_from((0, 5)))
    def fis_has_room(self, room: int) -> None:
        self.world.fis.room = room

    @rule(minutes=st.sampled_from((1, 1, 2, 5, 20)))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.pass_time(minutes=minutes)

    @rule(outcome=st.sampled_from(("failed", "rolling_back")))
    def the_release_gives_up(self, outcome: str) -> None:
        self.world.outcome = outcome

    @rule(trouble=_trouble, told=st.booleans())
    def a_person_stops_it(self, trouble: Any, told: bool) -> None:
        self.stop(told=told, trouble=trouble)

    @rule(trouble=_trouble)
    def the_sweep_comes(self, trouble: Any) -> None:
        self.invoke({}, trouble, left=0)

    # How it is done

    def invoke(self, event: Mapping[str, Any], trouble: Any = None, *, left: int = 2) -> None:
        """Invoke the function; at the call of that number it meets its trouble."""
        if "CodePipeline.job" in event:
            self.delivered.append(event)
        calls = 0

        def meet(name: str) -> None:
            nonlocal calls
            calls += 1
            if trouble and calls - 1 == trouble[0]:
                self.world.trouble = lambda _: None
                self.cause(trouble[1], event)
                self.world.trouble = meet

        self.world.trouble = meet
        try:
            self.world.invoke(event)
        except (Killed, ClientError, ReadTimeoutError, GranaryError, AssertionError) as error:
            if isinstance(error, AssertionError):
                raise
            if left:
                self.tries.append((event, left - 1))
        finally:
            self.world.trouble = lambda _: None

    def cause(self, what: str, event: Mapping[str, Any]) -> None:
        troubles: dict[str, Callable[[], object]] = {
            "stop": lambda: self.stop(told=True),
            "sweep": lambda: self.invoke({}, left=0),
            "again": lambda: self.invoke(event, left=0),
        }
        if what in troubles:
            troubles[what]()
        elif what == "killed":
            raise Killed
        elif what == "broken":
            raise ReadTimeoutError(endpoint_url="https://fis.eu-west-1.amazonaws.com")
        else:
            code, status = {"throttled": ("ThrottlingException", 429), "denied": ("AccessDeniedException", 403)}[what]
            raise refused(code, "Call", status=status)

    def stop(self, *, told: bool, trouble: Any = None) -> None:
        for execution, state in self.world.pipeline.executions.items():
            if state == "InProgress":
                self.world.pipeline.executions[execution] = "Stopped"
                if told:
                    detail = {"execution-id": execution, "state": "STOPPED"}
                    self.invoke({"source": "aws.codepipeline", "detail": detail}, trouble)

    def settle(self) -> None:
        """Nothing goes wrong any more: Lambda's tries, CodePipeline's jobs and the sweep come to their end."""
        while self.tries:
            event, _ = self.tries.pop(0)
            self.invoke(event, left=0)
        for number in range(200):
            if not any(self.world.pipeline.due()):
                break
            self.asks_again()
            if not number % 10:
                self.invoke({}, left=0)
        for _ in range(3):
            self.world.clock.pass_time(minutes=90)
            self.invoke({}, left=0)
        assert self.world.fis.live() == []
        assert self.world.fis.templates == {}
        assert self.world.codebuild.live() == []
        assert list(self.world.turns.trying.attempts.held()) == []
        for execution, state in self.world.pipeline.executions.items():
            assert state != "InProgress", f"{execution} is not answered"

    # What always holds

    @invariant()
    def an_attempt_has_one_experiment(self) -> None:
        attempts = [one["tags"]["granary:attempt"] for one in self.world.fis.experiments.values()]
        assert len(attempts) == len(set(attempts))

    @invariant()
    def an_attempt_has_one_build_and_passes_by_it(self) -> None:
        builds = self.world.codebuild.builds.values()
        states = {one["environment"]["environmentVariables"][0]["value"]: one["buildStatus"] for one in builds}
        assert len(states) == len(builds)
        for job in self.world.pipeline.jobs.values():
            if job["answer"] and job["answer"][1].startswith("PASS: validation on acme: its steady state held, by 3"):
                of_execution = [
                    states[name]
                    for name, one in self.world.pipeline.jobs.items()
                    if one["execution"] == job["execution"] and name in states
                ]
                assert of_execution == ["SUCCEEDED"]

    @invariant()
    def a_tenant_has_one_experiment_at_a_time(self) -> None:
        assert len(self.world.fis.live()) <= 1

    @invariant()
    def nobody_passes_of_whom_nothing_is_known(self) -> None:
        for job in self.world.pipeline.jobs.values():
            answer, said = job["answer"] or ("", "")
            if answer == "passed" and "nothing is injected" in said:
                assert self.experiments_of(job["execution"]) == []
            elif answer == "passed":
                assert said.startswith(("PASS: ", "DRY_RUN: "))
        for text in self.world.kept.values():
            if Verdict.from_json(text).predicate.outcome is Outcome.PASS:
                attempt = next(key for key, kept in self.world.kept.items() if kept == text).rpartition("/")[2]
                looks = [(status, well) for one, status, well in self.world.seen if f"{one}.json" == attempt]
                assert ("running", True) in looks
                assert ("running", False) not in looks
                assert looks[-1][1]

    def experiments_of(self, execution: str) -> list[str]:
        jobs = {name for name, job in self.world.pipeline.jobs.items() if job["execution"] == execution}
        tags = {name: one["tags"]["granary:attempt"] for name, one in self.world.fis.experiments.items()}
        return [name for name, attempt in tags.items() if attempt in jobs]

    @invariant()
    def who_passes_by_a_verdict_has_it(self) -> None:
        passed = [job for job in self.world.pipeline.jobs.values() if job["answer"] and job["answer"][0] == "passed"]
        survived = [job for job in passed if job["answer"][1].startswith("PASS: stop-a-task")]
        outcomes = [Verdict.from_json(text).predicate.outcome for text in self.world.kept.values()]
        assert outcomes.count(Outcome.PASS) >= len(survived)


TestAttempts = Attempts.TestCase
TestAttempts.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
