"""What deployed projects name of a source is there, in this one as in all before."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.buildspecs import fixed_entries
from tests.unit.buildspecs.fixed_entries import COMMANDS, PATHS

ROOT = Path(__file__).parents[3]
ENTRIES = {
    match[1]: since for command, since in COMMANDS.items() if (match := re.match(r"python -m (build.+)", command))
}


@pytest.mark.parametrize("module", ENTRIES)
def test_every_entry_is_there(module: str) -> None:
    there = importlib.util.find_spec(module) is not None and importlib.util.find_spec(f"{module}.__main__")
    assert there, (
        f"`python -m {module}` is gone, which projects deployed since {ENTRIES[module]} run on every source: tenants "
        "that stand could not be brought to this one. Keep it as a thin entry (see buildspecs/entry.py), and name the "
        "module that does the work in its buildspec.yaml"
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_there(path: str) -> None:
    assert (ROOT / path).is_file(), (
        f"{path} is gone, which projects deployed since {PATHS[path]} read in every source: keep the file where it is"
    )


@pytest.mark.slow
def test_a_source_that_renames_an_entry_is_refused_with_the_reason(tmp_path: Path) -> None:
    """As CI refuses the commit, before anything is released."""
    shutil.copytree(ROOT / "buildspecs", tmp_path / "buildspecs")
    (tmp_path / "tests" / "unit" / "buildspecs").mkdir(parents=True)
    for file in (Path(__file__), Path(fixed_entries.__file__)):
        shutil.copy(file, tmp_path / file.relative_to(ROOT))
    test = str(Path(__file__).relative_to(ROOT))
    job = tmp_path / "buildspecs" / "saas" / "tenant_synth"
    job.rename(job.with_name("tenant_assembly"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "every_entry", test],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "`python -m buildspecs.saas.tenant_synth` is gone, which projects deployed since d142659 run" in done.stdout
    assert "Keep it as a thin entry" in done.stdout
