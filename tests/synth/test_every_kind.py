"""The tenants by which sources are compared reach every statement of the product's code that makes a tenant's stacks.

A statement that none of them reaches could change for some tenants, and the digest would not show it: unless the bytes
of its file count.
"""

from __future__ import annotations

import ast
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import aws_cdk as cdk

from buildspecs.saas.ci.every_kind import every_kind
from buildspecs.saas.reaching_files import reaching
from config.loader import load
from config.models import Configuration
from stacks.landing_zone import bound_roles, settle_builds
from stacks.saas.tenants import build_tenants
from stacks.tags import tag_stacks
from tests.source_files import source_files
from tests.synth.configurations import AWS, configuration

_ROOT = Path(__file__).parents[2]
_PRODUCT = tuple(f"{_ROOT / name}/" for name in ("constructs_lib", "stacks", "lambdas/saas/model"))
# Functions that do more for other configurations or components: samples have what tenants have.
_BY_CONFIGURATION = {
    "constructs_lib/common/builds.py:place_builds",
    "constructs_lib/saas/asset_action.py:ask_for_assets",
    "stacks/cicd.py:tenant_steps",
}

Lines = dict[str, set[int]]


def executed(found: Configuration, folder: Path) -> Lines:
    """Lines of the product's functions that a synth of the samples runs, by file."""
    lines: Lines = defaultdict(set)

    def look(frame: FrameType, event: str, _argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(_PRODUCT) or code.co_name == "<module>":
            return None
        lines[code.co_filename].add(frame.f_lineno)
        return look

    plan = folder / "plan.json"
    every_kind(found).write(plan)
    app = cdk.App(analytics_reporting=False, outdir=str(folder / "out"), context=_context())
    before = sys.gettrace()
    sys.settrace(look)
    try:
        bound_roles(app, found)
        build_tenants(app, configuration=found, plan_file=str(plan))
        settle_builds(app, found)
        tag_stacks(app, found.toolchain.tags)
    finally:
        sys.settrace(before)
    return lines


def _context() -> dict[str, Any]:
    text = (_ROOT / "cdk.json").read_text(encoding="utf-8")
    context: dict[str, Any] = json.loads(text)["context"]
    return context


def missed(lines: Lines) -> dict[str, list[int]]:
    """Statements that were not reached of functions that were called, by function; refusals are left out."""
    found: dict[str, list[int]] = {}
    for file, ran in lines.items():
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and any(_ran(one, ran) for one in function.body):
                left = [one.lineno for one in _statements(function.body) if not _ran(one, ran)]
                if left:
                    found[f"{Path(file).relative_to(_ROOT)}:{function.name}"] = left
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a function, those of functions in it apart; refusals, and docstrings, are none."""
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.ClassDef | ast.Raise) or _is_text(one):
            continue
        yield one
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(one, part, []))
        for case in [*getattr(one, "handlers", []), *getattr(one, "cases", [])]:
            yield from _statements(case.body)


def _is_text(one: ast.stmt) -> bool:
    return isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)


def _ran(one: ast.stmt, ran: set[int]) -> bool:
    nested = getattr(one, "body", None)
    end = nested[0].lineno - 1 if isinstance(nested, list) and nested else one.end_lineno or one.lineno
    return any(line in ran for line in range(one.lineno, max(end, one.lineno) + 1))


def test_no_statement_that_makes_a_tenant_goes_unseen(tmp_path: Path) -> None:
    """Without rooms and with all of them, given the demo's component."""
    lines: Lines = defaultdict(set)
    for name, found in {"alone": configuration(AWS), "rooms": load(Path("config/examples/all"))}.items():
        (tmp_path / name).mkdir()
        for file, ran in executed(found, tmp_path / name).items():
            lines[file] |= ran
    counted = set(reaching(source_files()))
    left = {name: those for name, those in missed(lines).items() if name.partition(":")[0] not in counted}
    assert {name: those for name, those in left.items() if name not in _BY_CONFIGURATION} == {}
    assert "stacks/saas/component.py" in {str(Path(file).relative_to(_ROOT)) for file in lines}
