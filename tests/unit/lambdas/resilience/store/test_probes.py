"""What of answers is a steady state, and which addresses are asked; tests/local asks real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.common.errors import GranaryError
from lambdas.common.evidence.verdict import Outcome
from lambdas.resilience.model.attempt import Attempt, Step
from lambdas.resilience.model.plan import Experiment, Fault, Mode, Probe, RingPlan
from lambdas.resilience.store.probes import Probes

_NOW = "2026-11-29T00:00:00.000+00:00"


class Clients:
    """A stack with outputs, and two stop alarms, of which one rings."""

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        states = {"silo-acme-errors": "ALARM", "silo-acme-slow": "OK"}
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": states[name]} for name in AlarmNames]}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        known = {"SolutionEndpointA1": "acme.example.com", "SolutionName": "x", "SolutionNumber": "y"}
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in known.items()]
        return {"Stacks": [{"Outputs": outputs}]}


def _attempt(plan: RingPlan) -> Attempt:
    return Attempt(
        id="job-1",
        deployment="acme",
        type="silo",
        account="222222222222",
        region="eu-west-1",
        plan=plan,
        began=_NOW,
        since=_NOW,
        until=_NOW,
        stack="silo-acme-resources",
    )


def _probes(**more: Any) -> Probes:
    return Probes(client=lambda _: Clients(), clock=lambda: datetime(2026, 11, 29, tzinfo=UTC), **more)


def _look(probe: Probe, get: Any = None) -> Any:
    plan = RingPlan(mode=Mode.RUN, probes=(probe,))
    (seen,) = _probes(**({"get": get} if get else {})).look(_attempt(plan), Step.DURING)
    return seen


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [([503, 200, 200, 200, 200], "PASS"), ([503, None, 200, 200, 200], "FAIL"), ([200, 200, 200, 200, 302], "PASS")],
)
def test_so_many_have_to_be_right(statuses: list[int | None], outcome: str) -> None:
    left = list(statuses)
    probe = Probe(name="home", url="https://acme.example.com/", samples=5, success_percent=80)
    seen = _look(probe, lambda *_, **__: left.pop())
    assert (seen.outcome, seen.samples, seen.threshold) == (Outcome(outcome), 5, "80 %")


def test_an_output_of_the_stack_may_be_the_address() -> None:
    asked: list[str] = []

    def get(url: str, *, timeout: int) -> int:
        asked.append(url)
        return 200

    _look(Probe(name="home", url="{output.SolutionEndpoint}", samples=1), get)
    _look(Probe(name="home", url="https://{output.SolutionEndpoint}/{id}", samples=1), get)
    assert asked == ["https://acme.example.com", "https://acme.example.com/acme"]


@pytest.mark.parametrize(("name", "found"), [("Nothing", 0), ("SolutionN", 2)])
def test_an_output_that_is_not_there_once_is_told(name: str, found: int) -> None:
    with pytest.raises(GranaryError, match=f"silo-acme-resources has {found} outputs whose names begin with {name}"):
        _look(Probe(name="home", url=f"{{output.{name}}}"))


def test_the_stop_alarms_that_ring_are_named() -> None:
    alarms = ("{type}-{id}-slow", "{type}-{id}-errors")
    fault = Fault(name="stop", action="aws:ecs:stop-task")
    one = Experiment(name="x", duration_minutes=1, faults=(fault,), stop_alarms=alarms)
    assert _probes().ringing(_attempt(RingPlan(mode=Mode.RUN, experiment=one))) == ["silo-acme-errors"]
