"""The code that builds of gated repositories get: all that it imports, which somebody has to ship."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import grimp
import pytest

from config.models.gates import Section
from stacks.foundation import Foundation
from stacks.gates.stack import GatesStack
from tests.synth.configurations import AWS_FROM_EUROPE, configuration
from tests.synth.synthesis import feature_flags

_ENTRY = "buildspecs.gates.repository_gates"
_PRODUCT = ("buildspecs", "component", "config", "constructs_lib", "lambdas")
_SECTION = {
    "gates": [{"name": "secrets", "scanner": "kingfisher"}],
    "repositories": [
        {"name": "payments", "source": {"provider": "codecommit", "repository": "payments"}, "gates": ["secrets"]}
    ],
}
# What is read as files are read, without a repository.
_RUN = """
import importlib, pkgutil
import config
from config.loader import load
for one in pkgutil.walk_packages(config.__path__, "config."):
    importlib.import_module(one.name)
import buildspecs.gates.repository_gates.judge
print(load().toolchain.prefix)
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is shipped."""
    app = cdk.App(context=feature_flags(), analytics_reporting=False, outdir=str(tmp_path_factory.mktemp("assembly")))
    section = Section.model_validate(_SECTION)
    stack = GatesStack(app, foundation=Foundation.of(configuration(AWS_FROM_EUROPE)), section=section)
    return Path(app.outdir, str(stack.node.find_child("Code").asset_path))  # type: ignore[attr-defined]


def test_all_that_it_may_import_is_there(code: Path) -> None:
    """Also what a function imports when it is called; nothing of that begins outside of what is shipped."""
    graph = grimp.build_graph(*_PRODUCT, "stacks", "cli", cache_dir=None)
    begins = {f"{_ENTRY}.__main__", *(one for one in graph.modules if one.startswith("config."))}
    reached = begins.union(*(graph.find_upstream_modules(one) for one in begins))
    lacks = [one for one in sorted(reached) if not _is_there(code, one)]
    assert not lacks, "name their packages in `_EXCLUDED` of stacks/gates/stack.py"
    assert len(reached) > len(begins)


def test_it_reads_the_configuration(code: Path) -> None:
    """And imports all that only names say, as rooms are."""
    done = subprocess.run([sys.executable, "-c", _RUN], cwd=code, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("granary\n", 0), done.stderr


def test_what_else_changes_leaves_it_as_it_is(code: Path) -> None:
    assert {one.name for one in code.iterdir()} == {*_PRODUCT, "requirements.txt"}
    assert not list(code.glob("lambdas/saas/*/handler.py"))


def _is_there(code: Path, module: str) -> bool:
    path = code.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
