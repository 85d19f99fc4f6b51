"""Looking at a tenant: the states of its alarms, whether its addresses answer, and how its builds end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Thread
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.evidence.verdict import Outcome
from lambdas.common.stack_events import stack_of
from lambdas.resilience.model.attempt import Attempt, Evidence, Step
from lambdas.resilience.model.plan import OUTPUT, Probe, filled, words_in
from lambdas.resilience.model.template import words_of
from lambdas.resilience.store.builds import Builds

_STATES = {"OK": Outcome.PASS, "ALARM": Outcome.FAIL}
_WHOLE = 100


def answers(url: str, *, timeout: int) -> int | None:
    """The status with which an address answers a GET, without following it anywhere; None when it does not answer."""
    told: list[int] = []
    try:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    except (HTTPException, ValueError):
        return None

    def ask() -> None:
        # Whatever the network or the tenant does, it has not answered.
        with suppress(OSError, HTTPException, ValueError, AttributeError), closing(connection):
            connection.request("GET", urlunsplit(("", "", parts.path or "/", parts.query, "")))
            told.append(connection.getresponse().status)

    # The time-out of a connection is one for each read: who sends a byte now and then would hold the function for good.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout)
    if asking.is_alive() and (sock := connection.sock):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    return next(iter(told), None)


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Looks at a tenant; `client` makes clients of its account and Region, and `get` is how an address is asked."""

    client: Callable[[str], Any]
    clock: Callable[[], datetime]
    get: Callable[..., int | None] = field(default=answers)

    def look(self, attempt: Attempt, step: Step) -> tuple[Evidence, ...]:
        """What each probe of the attempt tells of a step; builds do when all others say that it is well.

        Raises:
            GranaryError: an address names an output that the component's stack has not, or a build no project.
        """
        seen = self._seen(attempt, step)
        if not (attempt.touched and all(one.outcome is Outcome.PASS for one in seen)):
            return seen
        return (*seen, *(self._builds.look(attempt, probe, step) for probe in attempt.plan.probes if probe.build))

    def stop_builds(self, attempt: Attempt) -> None:
        """Stop what is built for an attempt."""
        for probe in attempt.plan.probes:
            if probe.build:
                self._builds.stop(attempt, probe)

    @property
    def _builds(self) -> Builds:
        return Builds(client=self.client("codebuild"), clock=self.clock)

    def _seen(self, attempt: Attempt, step: Step) -> tuple[Evidence, ...]:
        states = self._states(filled(probe.alarm, words_of(attempt)) for probe in attempt.plan.probes if probe.alarm)
        outputs = _Outputs(self.client, attempt.stack)
        return tuple(
            self._alarm(probe, step, states.get(filled(probe.alarm, words_of(attempt)), ""))
            if probe.alarm
            else self._address(probe, step, _url(probe.url, words_of(attempt), outputs))
            for probe in attempt.plan.probes
            if not probe.build
        )

    def ringing(self, attempt: Attempt) -> list[str]:
        """The stop alarms of the attempt's experiment that ring, by name."""
        alarms = attempt.plan.experiment.stop_alarms if attempt.plan.experiment else ()
        states = self._states(filled(name, words_of(attempt)) for name in alarms)
        return sorted(name for name, state in states.items() if state == "ALARM")

    def _states(self, names: Iterable[str]) -> dict[str, str]:
        if not (asked := list(names)):
            return {}
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = self.client("cloudwatch").describe_alarms(AlarmNames=asked, AlarmTypes=kinds)
        alarms = (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ()))
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}

    def _alarm(self, probe: Probe, step: Step, state: str) -> Evidence:
        return Evidence(
            step=step,
            probe=probe.name,
            outcome=_STATES.get(state, Outcome.INCONCLUSIVE),
            value=state or "there is no such alarm",
            threshold="OK",
            at=stamp(self.clock()),
        )

    def _address(self, probe: Probe, step: Step, url: str) -> Evidence:
        good = sum(self.get(url, timeout=probe.timeout_seconds) == probe.status for _ in range(probe.samples))
        percent = _WHOLE * good // probe.samples
        return Evidence(
            step=step,
            probe=probe.name,
            outcome=Outcome.PASS if percent >= probe.success_percent else Outcome.FAIL,
            value=f"{percent} % answered {probe.status} within {probe.timeout_seconds} s",
            threshold=f"{probe.success_percent} %",
            samples=probe.samples,
            at=stamp(self.clock()),
        )


@dataclass(frozen=True)
class _Outputs:
    client: Callable[[str], Any]
    stack: str

    @cached_property
    def all(self) -> Mapping[str, str]:
        stack = stack_of(self.client("cloudformation"), self.stack) or {}
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}

    def named(self, name: str) -> str:
        """The one whose name begins so: the CDK puts letters after the names of outputs in constructs."""
        found = [key for key in self.all if key == name] or [key for key in self.all if key.startswith(name)]
        if len(found) != 1:
            raise GranaryError(
                f"stack {self.stack} has {len(found)} outputs whose names begin with {name}: correct the probe in "
                "config/resilience.yaml, or have the component say where it is"
            )
        return self.all[found[0]]


def _url(text: str, words: Mapping[str, str], outputs: _Outputs) -> str:
    given = {word: outputs.named(word.removeprefix(OUTPUT)) for word in words_in(text) if word.startswith(OUTPUT)}
    url = filled(text, {**words, **given})
    # An output may be an address, or no more than a name.
    return url if url.startswith(("http://", "https://")) else f"https://{url}"
