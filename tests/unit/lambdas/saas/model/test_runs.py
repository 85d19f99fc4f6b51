"""Names of runs, and the run of an execution that came to nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.runs import RunState, first_name, nameable, never_begun, resumed_name, revision_of, run_name
from tests.unit.lambdas.saas.fakes import RELEASE, START


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.sampled_from(["", "-r2", "-r13"]))
def test_a_runs_name_tells_its_revision(revision: str, resumed: str) -> None:
    name = run_name(replace(RELEASE, revision=revision)) + resumed
    assert revision_of(name) == revision[:50]
    nameable(name)


@pytest.mark.parametrize("name", ["x" * 81, "two words", "a/b", "line\n", "a:b", "\x9b"])
def test_what_names_no_execution_names_no_run(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a run"):
        nameable(name)


@pytest.mark.parametrize("name", ["", "by-hand", "5efcfa68", "-00000000"])
def test_another_name_tells_none(name: str) -> None:
    assert revision_of(name) == ""


@pytest.mark.parametrize(
    ("given_input", "revision"),
    [({"release": {"revision": "rev1"}}, "rev1"), ({"release": {}}, ""), ({"release": "rev1"}, ""), ({}, "")],
)
def test_a_run_that_never_began_is_stopped(given_input: dict[str, Any], revision: str) -> None:
    run = never_begun("r1", given_input, execution="arn:e", reason="why", now=START)
    assert (run.run, run.revision, run.state, run.execution) == ("r1", revision, RunState.STOPPED, "arn:e")
    assert (run.rings, run.reason, run.ended_at, run.resumes) == (0, "why", stamp(START), "")


def test_a_run_that_never_began_tells_what_it_was_to_go_on_with() -> None:
    assert never_begun("r1-r2", {"resumes": "r1"}, execution="arn:e", reason="why", now=START).resumes == "r1"


@given(st.integers(1, 40))
def test_every_further_run_has_a_name_of_its_own_that_fits(times: int) -> None:
    name = run_name(replace(RELEASE, revision="r" * 64))
    names = [name]
    for _ in range(times):
        names.append(resumed_name(names[-1]))
    assert len(set(names)) == times + 1
    assert all(len(one) <= 80 and one.startswith(name) for one in names)
    assert {first_name(one) for one in names} == {name}
