"""Simulated time: order, straight-line code that sleeps in it, and errors of that code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.bench.burst.simulation import Process, Simulation
from tests.unit.lambdas.saas.fakes import START


def test_things_happen_in_the_order_of_their_times_and_then_of_their_asking() -> None:
    simulation, told = Simulation(), list[str]()
    for name, seconds in (("late", 2.0), ("early", 1.0), ("early too", 1.0)):
        simulation.after(seconds, lambda name=name: told.append(f"{name} at {simulation.now:g}"))  # type: ignore[misc]
    simulation.run()
    assert told == ["early at 1", "early too at 1", "late at 2"]


def test_processes_take_turns_while_they_sleep() -> None:
    simulation, told = Simulation(), list[str]()

    def work(name: str, seconds: float, process: Process) -> None:
        for _ in range(2):
            process.sleep(seconds)
            told.append(f"{name} at {simulation.now:g}")

    simulation.start(lambda process: work("slow", 3, process))
    simulation.start(lambda process: work("fast", 2, process))
    simulation.run()
    assert told == ["fast at 2", "slow at 3", "fast at 4", "slow at 6"]
    assert (simulation.clock() - START).total_seconds() == 6


def test_a_thread_that_a_process_waits_for_sleeps_in_simulated_time_too() -> None:
    simulation = Simulation()

    def work(process: Process) -> None:
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(process.sleep, [10.0, 20.0]))

    simulation.start(work)
    simulation.run()
    assert simulation.now == 30


def test_an_error_ends_the_simulation_and_all_that_sleeps() -> None:
    simulation, told = Simulation(), list[str]()

    def sleep_on(process: Process) -> None:
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(process.sleep, [10.0, 20.0]))
        told.append("never")

    def fail(process: Process) -> None:
        process.sleep(1)
        raise ValueError("no such row")

    simulation.start(sleep_on)
    simulation.start(fail)
    with pytest.raises(ValueError, match="no such row"):
        simulation.run()
    assert told == []
