"""The release state machine, executed from its definition in simulated time, with the counts that AWS would bill."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from tests.bench.burst.simulation import Simulation
from tests.bench.release.paths import chosen, filled, placed, put, read

TIMEOUT = "States.Timeout"
# Events of a state beside its entry and its exit, when all goes well.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
_INVOKE_EVENTS, _SUBMIT_EVENTS, _MAP_EVENTS = 3, 1, 4  # scheduled, started, succeeded; submitted; state and map run

Function = Callable[[Any], Any]
# Goes on where it waited, with a result or an error.
Resume = Callable[[Any, "StateError | None"], None]
# What a running execution waits for: it is handed the means to go on.
Until = Callable[[Resume], None]
Work = Generator[Until, Any, Any]


class StateError(Exception):
    """An error as the language has it, with a name to retry and catch it by."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name, cause


@dataclass(kw_only=True)
class Execution:
    """An execution, or a child of a map run: how it ended, and what it took.

    `transitions` are states entered, and retries, without the children's; `events` is the length of its history.
    """

    name: str
    ended: float = -1.0
    output: Any = None
    error: StateError | None = None
    transitions: int = 0
    events: int = 0


@dataclass(kw_only=True)
class Machine:
    """Executes a definition; `functions` by the name that the definition has, `read_items` reads a map's object."""

    simulation: Simulation
    definition: Mapping[str, Any]
    functions: Mapping[str, Function]
    read_items: Callable[[str], bytes]
    function_seconds: float
    executions: list[Execution] = field(default_factory=list)
    most_at_once: int = 0
    largest_bytes: int = 0
    _waiting: dict[str, Resume] = field(default_factory=dict)
    _early: dict[str, tuple[Any, StateError | None]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=count)

    def start(self, name: str, data: Any) -> Execution:
        """Start an execution; it runs when the simulation does."""
        return self._start(name, self.definition, data, lambda _execution: None, {"Execution": _identity(name, data)})

    def answer(self, token: str, output: str | None, error: tuple[str, str] | None) -> None:
        """Answer a task that waits; of one that nobody waits for, nothing comes."""
        answer = (None, StateError(*error)) if error else (json.loads(output or "null"), None)
        if token in self._waiting:
            self.simulation.after(0, partial(self._waiting.pop(token), *answer))
        else:
            self._early.setdefault(token, answer)

    def _start(
        self,
        name: str,
        definition: Mapping[str, Any],
        data: Any,
        over: Callable[[Execution], None],
        context: Mapping[str, Any],
    ) -> Execution:
        execution = Execution(name=name, events=1)
        self.executions.append(execution)
        work = self._states(execution, definition, data, context)
        self.simulation.after(0, partial(self._drive, execution, work, over, None, None))
        return execution

    def _drive(
        self,
        execution: Execution,
        work: Work,
        over: Callable[[Execution], None],
        result: Any,
        error: StateError | None,
    ) -> None:
        try:
            until = work.throw(error) if error else work.send(result)
        except StopIteration as stop:
            execution.output = stop.value
        except StateError as failure:
            execution.error = failure
        else:
            until(partial(self._drive, execution, work, over))
            return
        execution.events += 1
        execution.ended = self.simulation.now
        over(execution)

    def _states(
        self, execution: Execution, definition: Mapping[str, Any], data: Any, context: Mapping[str, Any]
    ) -> Work:
        name: str | None = definition["StartAt"]
        while name:
            state = definition["States"][name]
            execution.transitions += 1
            execution.events += 1
            kind = state["Type"]
            if kind == "Fail":
                raise StateError(state["Error"], str(read(state["CausePath"], data, context)))
            name = state.get("Next")
            if kind == "Choice":
                name = chosen(state, data, context)
            elif kind == "Wait":
                yield self._sleep(float(read(state["SecondsPath"], data, context)))
            elif kind in ("Task", "Map"):
                try:
                    result = yield from self._tried(execution, state, data, context)
                except StateError as error:
                    name, data = _caught(state, error, data)
                else:
                    self.largest_bytes = max(self.largest_bytes, len(json.dumps(result, separators=(",", ":"))))
                    data = placed(state, data, result)
            elif kind != "Succeed":
                raise NotImplementedError(f"states of the type {kind}")
            execution.events += 1
        return data

    def _tried(self, execution: Execution, state: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> Work:
        tries: dict[int, int] = {}
        attempt = self._map if state["Type"] == "Map" else self._task
        while True:
            try:
                return (yield from attempt(execution, state, data, context))
            except StateError as error:
                seconds = _pause(state, error, tries)
                if seconds is None:
                    raise
                execution.transitions += 1  # retries are billed: https://aws.amazon.com/step-functions/pricing/
            yield self._sleep(seconds)

    def _task(self, execution: Execution, state: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> Work:
        token = f"token-{next(self._numbers)}"
        given = filled(state["Parameters"], data, {**context, "Task": {"Token": token}})
        integration = str(state["Resource"]).rpartition(":::")[2]
        execution.events += _INVOKE_EVENTS
        yield self._sleep(self.function_seconds)
        answer = self._invoke(given["FunctionName"], given["Payload"])
        if integration == "lambda:invoke":
            return {"Payload": answer}
        if integration != "lambda:invoke.waitForTaskToken":
            raise NotImplementedError(f"the integration {integration}")
        execution.events += _SUBMIT_EVENTS
        return (yield partial(self._wait_for, token, float(state["TimeoutSeconds"])))

    def _invoke(self, function: str, payload: Any) -> Any:
        # Through JSON, as functions are invoked: what cannot be written is an error here too.
        try:
            return json.loads(json.dumps(self.functions[function](json.loads(json.dumps(payload)))))
        except Exception as error:
            raise StateError(type(error).__name__, str(error)) from error

    def _wait_for(self, token: str, seconds: float, resume: Resume) -> None:
        if token in self._early:
            self.simulation.after(0, partial(resume, *self._early.pop(token)))
            return
        self._waiting[token] = resume
        self.simulation.after(seconds, partial(self._time_out, token))

    def _time_out(self, token: str) -> None:
        if resume := self._waiting.pop(token, None):
            resume(None, StateError(TIMEOUT, ""))

    def _map(self, execution: Execution, state: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> Work:
        execution.events += _MAP_EVENTS
        reader = filled(state["ItemReader"]["Parameters"], data, context)
        items = json.loads(self.read_items(reader["Key"]))
        inputs = [
            filled(state["ItemSelector"], data, {**context, "Map": {"Item": {"Index": index, "Value": item}}})
            for index, item in enumerate(items)
        ]
        most = int(read(state["MaxConcurrencyPath"], data, context))
        children = yield partial(
            self._run_all, f"{execution.name}/{state['Label']}", state["ItemProcessor"], inputs, most
        )
        if any(child.error for child in children) and state["ToleratedFailurePercentage"] != 100:
            raise StateError("States.ExceedToleratedFailureThreshold", "too many children failed")
        return [child.output for child in children]

    def _run_all(self, label: str, processor: Mapping[str, Any], inputs: list[Any], most: int, resume: Resume) -> None:
        waiting, running, ended = list(reversed(inputs)), [0], list[Execution]()

        def fill() -> None:
            while waiting and running[0] < most:
                running[0] += 1
                self.most_at_once = max(self.most_at_once, running[0])
                name = f"{label}:{len(inputs) - len(waiting)}"
                given = waiting.pop()
                self._start(name, processor, given, over, {"Execution": _identity(name, given)})

        def over(child: Execution) -> None:
            running[0] -= 1
            ended.append(child)
            fill()
            if len(ended) == len(inputs):
                self.simulation.after(0, partial(resume, ended, None))

        fill()
        if not inputs:
            self.simulation.after(0, partial(resume, ended, None))

    def _sleep(self, seconds: float) -> Until:
        return lambda resume: self.simulation.after(seconds, partial(resume, None, None))


def _identity(name: str, given: Any) -> dict[str, Any]:
    return {"Name": name, "Id": f"execution:{name}", "Input": given}


def _matches(rule: Mapping[str, Any], error: StateError) -> bool:
    return "States.ALL" in rule["ErrorEquals"] or error.name in rule["ErrorEquals"]


def _pause(state: Mapping[str, Any], error: StateError, tries: dict[int, int]) -> float | None:
    """Seconds until a state is tried again, the longest that jitter allows; None when it is not."""
    for index, rule in enumerate(state.get("Retry", ())):
        if _matches(rule, error):
            done = tries.get(index, 0)
            tries[index] = done + 1
            seconds = rule["IntervalSeconds"] * rule["BackoffRate"] ** done
            return min(seconds, rule["MaxDelaySeconds"]) if done < rule["MaxAttempts"] else None
    return None


def _caught(state: Mapping[str, Any], error: StateError, data: Any) -> tuple[str, Any]:
    for rule in state.get("Catch", ()):
        if _matches(rule, error):
            return rule["Next"], put(rule["ResultPath"], data, {"Error": error.name, "Cause": error.cause})
    raise error
