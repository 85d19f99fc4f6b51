"""Simulated time: events in their order, and product code that takes its time without any passing."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from tests.unit.lambdas.saas.fakes import START


class _AbandonedError(BaseException):
    """Ends code that still sleeps when the simulation has failed; not an Exception, which product code would handle."""


class Simulation:
    """A clock and what is to happen when it strikes; two runs of the same events are the same."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._processes: list[Process] = []

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen later; of things at one moment, what was asked for first comes first."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), action))

    def start(self, work: Callable[[Process], object]) -> None:
        """Start straight-line code that sleeps in simulated time."""
        process = Process(self, work)
        self._processes.append(process)
        self.after(0, process.step)

    def run(self) -> None:
        """Let time pass until nothing is left to happen; an error of any code that was started ends it."""
        try:
            while self._events:
                self.now, _, action = heapq.heappop(self._events)
                action()
        finally:
            for process in self._processes:
                process.abandon()

    def clock(self) -> datetime:
        """The simulated time, as product code asks for it."""
        return START + timedelta(seconds=self.now)


class Process:
    """Code that sleeps in simulated time, as functions and builds do; `Simulation.start` starts it.

    It runs in a thread of its own, but only while the simulation waits for it to sleep or to end: nothing ever runs
    at the same time, so that the order is the simulation's. A thread that the code starts and waits for may sleep too.
    """

    def __init__(self, simulation: Simulation, work: Callable[[Process], object]) -> None:
        self._simulation = simulation
        self._work = work
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._error: Exception | None = None
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""
        if not self._over:
            self._simulation.after(seconds, self.step)
            self._paused.release()
            self._go.acquire()
        if self._over:
            raise _AbandonedError

    def step(self) -> None:
        """Let it run until it sleeps or ends."""
        self._go.release()
        self._paused.acquire()
        if self._error:
            raise self._error

    def abandon(self) -> None:
        """End it where it sleeps."""
        self._over = True
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._over:
                self._work(self)
        except _AbandonedError:
            return
        except Exception as error:  # raised again where the simulation runs
            self._error = error
        finally:
            self._paused.release()
