"""Simulated time: events in their order, and product code that takes its time without any passing."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from tests.unit.lambdas.fakes import START


class Simulation:
    """A clock and what is to happen when it strikes; two runs of the same events are the same."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen later; of things at one moment, what was asked for first comes first."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), action))

    def run(self) -> None:
        """Let time pass until nothing is left to happen."""
        while self._events:
            self.now, _, action = heapq.heappop(self._events)
            action()

    def clock(self) -> datetime:
        """The simulated time, as product code asks for it."""
        return START + timedelta(seconds=self.now)


class Process:
    """Straight-line code that sleeps in simulated time, as functions and builds do.

    It runs in a thread of its own, but only while the simulation waits for it to sleep or to end: nothing ever runs
    at the same time, so that the order is the simulation's. Threads that the code starts and waits for may sleep too.
    """

    def __init__(self, simulation: Simulation, work: Callable[[Process], None]) -> None:
        self._simulation = simulation
        self._work = work
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._error: Exception | None = None
        threading.Thread(target=self._run, daemon=True).start()
        simulation.after(0, self._step)

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""
        self._simulation.after(seconds, self._step)
        self._paused.release()
        self._go.acquire()

    def _step(self) -> None:
        self._go.release()
        self._paused.acquire()
        if self._error:
            raise self._error

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._work(self)
        except Exception as error:  # raised again where the simulation runs
            self._error = error
        finally:
            self._paused.release()
