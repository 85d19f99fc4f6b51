"""Fixtures: each case's cloud assembly, synthesized once a session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.synth.assembly import Template, read_templates
from tests.synth.cases import CASES
from tests.synth.synthesis import begin, synthesize


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "synth"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def assembly_of(cache: Path, worker_id: str) -> Callable[[str], Path]:
    """The directory of a case's cloud assembly, by the case's name.

    Workers begin at both ends and take what no other has begun; in the tests' order they would wait for each other.
    """
    if worker_id != "master":
        # In processes that end: the CDK keeps all that it has made, and with ten cases its memory is as good as full.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=4) as pool:
            for name in sorted(CASES, reverse=worker_id != "gw0"):
                pool.submit(begin, name, cache).result()
    return lambda name: synthesize(CASES[name], cache=cache)


@pytest.fixture(scope="session")
def templates_of(assembly_of: Callable[[str], Path]) -> Callable[[str], list[Template]]:
    """The templates of a case, by the case's name."""

    def read(name: str) -> list[Template]:
        case = CASES[name]
        return read_templates(assembly_of(name), place=case.place, given=case.given)

    return read


@pytest.fixture(params=sorted(CASES))
def case_name(request: pytest.FixtureRequest) -> str:
    """Each case in turn."""
    return str(request.param)


@pytest.fixture
def templates(case_name: str, templates_of: Callable[[str], list[Template]]) -> list[Template]:
    """The templates of each case in turn."""
    return templates_of(case_name)
