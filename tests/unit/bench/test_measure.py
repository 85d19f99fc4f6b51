"""Measuring: the order of rounds, and figures that are taken within a round."""

from __future__ import annotations

from functools import partial

from tests.bench.figures import at_most, exactly
from tests.bench.measure import Sample, interleaved


def test_subjects_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return float(len(order))

    samples = interleaved({name: partial(measure, name) for name in ("a", "b")}, rounds=2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert samples == {"a": Sample(values=(4.0, 5.0)), "b": Sample(values=(3.0, 6.0))}


def test_a_ratio_is_taken_within_a_round() -> None:
    quiet_then_busy = Sample(values=(1.0, 10.0, 1.0))
    twice_as_slow = Sample(values=(2.0, 20.0, 2.0))
    assert twice_as_slow.over(quiet_then_busy).values == (2.0, 2.0, 2.0)
    assert twice_as_slow.less(quiet_then_busy, per=2).median == 0.5
    assert twice_as_slow.show() == "2.00 s (2.00 to 20.00)"


def test_figures_tell_whether_they_are_met() -> None:
    assert at_most("a", 1.3, limit=1.3, how="").verdict == "pass"
    assert at_most("a", 1.31, limit=1.3, how="").verdict == "short"
    assert exactly("a", 1, wanted=0, how="").verdict == "short"
    assert at_most("a", 0.05, limit=0.1, how="", unit=" s").target == "<= 0.1 s"
