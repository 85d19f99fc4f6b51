"""What the contracts of import-linter cannot say: modules that call themselves pure are, functions keep to themselves,
rooms have the same names on all floors, and nothing imports in a circle.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from stacks import rooms

ROOT = Path(__file__).parents[2]
FLOORS = ("cli", "stacks", "constructs_lib", "lambdas", "buildspecs")
PRODUCT = (*FLOORS, "config", "component")
# The rooms; every floor may have a folder of each, beside `common`.
ROOMS = frozenset(rooms.NAMES)
IMPURE = frozenset({"boto3", "botocore"})
_IS_PURE = re.compile(r"lambdas\.\w+\.model\.\w+|.+\.decide")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for floor in PRODUCT
    for path in sorted((ROOT / floor).rglob("*.py"))
    if path.name != "__init__.py"
}


def says_pure(module: str) -> bool:
    """Whether the first line of a module's docstring says so."""
    told = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0].removesuffix(".").endswith("; pure")


SAY_PURE = [module for module in MODULES if says_pure(module)]
HANDLERS = [module for module in MODULES if module.startswith("lambdas.") and module.endswith(".handler")]


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PRODUCT, include_external_packages=True, cache_dir=None)


def room_of(module: str) -> str:
    """The room that a module belongs to; empty for what is common, or stands beside the rooms."""
    parts = module.split(".")
    return parts[1] if parts[0] in FLOORS and len(parts) > 2 and parts[1] != "common" else ""


@pytest.mark.parametrize("module", SAY_PURE)
def test_what_calls_itself_pure_calls_nobody(module: str) -> None:
    """Neither itself nor by what it imports, however far away."""
    assert not graph().find_upstream_modules(module) & IMPURE


@pytest.mark.parametrize("module", [one for one in MODULES if _IS_PURE.fullmatch(one)])
def test_facts_and_decisions_say_that_they_are_pure(module: str) -> None:
    assert module in SAY_PURE, f'the first line of its docstring is to end in "; pure.": {MODULES[module]}'
    assert "os" not in graph().find_modules_directly_imported_by(module)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_imports_only_its_own_folder_and_what_is_shared(handler: str) -> None:
    """Its folder, its room's model and store, and lambdas.common: what else would have to be shipped with it."""
    folder = handler.removesuffix(".handler")
    room = folder.rpartition(".")[0]
    shared = (f"{folder}.", f"{room}.model.", f"{room}.store.", "lambdas.common.")
    reached = {one for one in graph().find_upstream_modules(handler) if one.partition(".")[0] in PRODUCT}
    assert not [one for one in reached if one.count(".") > 1 and not f"{one}.".startswith(shared)]


def test_no_function_is_overlooked() -> None:
    assert len(HANDLERS) == len(list((ROOT / "lambdas").glob("*/*/handler.py"))) > 0
    assert len(SAY_PURE) > len(HANDLERS)


@pytest.mark.parametrize("module", MODULES)
def test_a_room_knows_only_itself_and_what_is_common(module: str) -> None:
    """On all floors: `stacks/<room>` may use `lambdas/<room>`, and nothing of another room."""
    rooms = {room_of(one) for one in graph().find_modules_directly_imported_by(module)} - {""}
    common = len(module.split(".")) > 2 and module.split(".")[1] == "common"
    if own := room_of(module):
        assert rooms <= {own}
    elif common:
        assert not rooms


@pytest.mark.parametrize("floor", FLOORS)
def test_a_folder_of_a_floor_is_a_rooms_or_common(floor: str) -> None:
    folders = {path.parent.name for path in (ROOT / floor).glob("*/__init__.py")}
    assert folders <= ROOMS | {"common"}, "a room has the same name on every floor, from one list"


def test_nothing_imports_in_a_circle() -> None:
    imports = {module: graph().find_modules_directly_imported_by(module) & MODULES.keys() for module in MODULES}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


# The demo component by its words, and where they are meant: what is about ECS itself, and a factory of long ago.
_DEMO = re.compile(
    r"container_service|task_definition\b|ContainerService|ContainerTask|ExpressGateway|express[-_](infra|role)|nginx"
    r"|SolutionEndpoint|component\.demo"
)
_MAY = (
    "component/",
    "tests/component/",
    "local_cloud/ecs/",
    "tests/local/ecs_support.py",
    "tests/local/test_ecs_engine.py",
    "tests/local/test_ecs_tasks.py",
    "tests/unit/lambdas/",
    "tests/unit/local_cloud/",
    "tests/upgrade/",
    "tests/unit/test_architecture.py",
)


@pytest.mark.parametrize("folder", [*FLOORS, "config", "local_cloud", "tests"])
def test_nobody_names_the_component_but_the_users_zone(folder: str) -> None:
    """Whoever replaces it changes nothing else: ask `SPEC`, `local_cloud/factory/zone.py` or the deployed template."""
    found = [
        f"{name}: {word.group()}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not (name := str(path.relative_to(ROOT))).startswith(_MAY)
        for word in _DEMO.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
