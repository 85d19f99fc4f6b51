"""What the pages name is there: files, links, targets of make, attributes, phases."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from lambdas.saas.lifecycle_publish.deployments import Factory, deployment_events
from lambdas.saas.model.contract import PARAMETERS, STANDBYS, unfit
from lambdas.saas.model.status import Phase, Status
from tests.unit.docs.markdown import ROOT, blocks, pages
from tests.unit.lambdas.saas.fakes import RELEASE

ARCHITECTURE = ROOT / "docs" / "saas" / "architecture.md"
RUNBOOK = ROOT / "docs" / "saas" / "runbooks" / "stuck-tenant.md"

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?:[\w-]+/)+[\w.-]+\.(?:py|yaml|json|md|txt)|(?:app\.py|pyproject\.toml|package(?:-lock)?\.json)")
_TARGET = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)


@pytest.fixture(params=pages(), ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(prose(page)):
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), f"{target}#{anchor}"


def test_files_named_are_there(page: Path) -> None:
    folders = (ROOT, page.parent)
    named = [name for name in _CODE.findall(prose(page)) if _FILE.fullmatch(name) and not name.startswith("releases/")]
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []


def test_targets_of_make_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(_TARGET.findall(page.read_text(encoding="utf-8"))) <= targets


def test_blocks_of_commands_say_if_they_are_not_executed(page: Path) -> None:
    for block in blocks(page, "bash"):
        assert block.has_known_mark, f"{page.name}:{block.line}: {block.mark}"
        subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)


def test_resources_of_a_stack_are_listed_to_the_end(page: Path) -> None:
    """DescribeStackResources answers with at most 100, in no order; the toolchain has more."""
    assert "describe-stack-resources" not in page.read_text(encoding="utf-8")


def test_the_readme_opens_with_its_two_commands() -> None:
    assert next(blocks(ROOT / "README.md")).text == "make demo\nmake test\n"


def test_diagrams_are_whole(page: Path) -> None:
    for block in blocks(page, "mermaid"):
        lines = block.text.split("\n")
        assert lines[0].split()[0] in ("flowchart", "sequenceDiagram")
        opened = [line for line in lines if re.match(r"\s*(subgraph|alt|loop|opt)\b", line)]
        closed = [line for line in lines if line.strip() == "end"]
        assert len(opened) == len(closed)
        assert block.text.count("[") == block.text.count("]")
        assert block.text.count('"') % 2 == 0


def test_every_block_is_found(page: Path) -> None:
    """A fence that the test of the README overlooks would be a command that nobody runs."""
    fences = re.findall(r"^\s*```", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(list(blocks(page)))


def _first_cells(page: Path, heading: str) -> Iterator[str]:
    """The names in the first column of the first table below a heading or a line that contains the text."""
    lines = iter(page.read_text(encoding="utf-8").split("\n"))
    next(line for line in lines if heading in line)
    table = False
    for line in lines:
        if line.startswith("|"):
            table = True
            yield from _CODE.findall(line.split("|")[1])
        elif table:
            return


def test_every_attribute_of_a_status_is_described() -> None:
    described = set(_first_cells(ARCHITECTURE, "**`granary-deployment-status`**"))
    assert described == {field.name for field in fields(Status)} - {"id"}


def test_every_phase_is_described() -> None:
    assert set(_first_cells(ARCHITECTURE, "The phases:")) == set(Phase)
    headings = " ".join(re.findall(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    assert [phase for phase in Phase if phase is not Phase.ACTIVE and phase not in headings] == []


@pytest.mark.parametrize("needs", [STANDBYS, PARAMETERS])
@pytest.mark.parametrize("name", ["stuck-tenant.md", "releases.md"])
def test_what_a_release_does_not_know_is_in_the_runbooks(name: str, needs: int) -> None:
    """Where rows wait for the current release, and where they pin one."""
    words = re.search(r"knows no [^(]+(?= \()", unfit(replace(RELEASE, contract=needs - 1), needs))
    assert words
    assert f"`{words[0]}`" in " ".join(prose(RUNBOOK.with_name(name)).split())


def test_the_events_detail_is_the_one_that_is_published() -> None:
    factory = Factory(region="eu-west-1", retire_removed=False)
    (event, *_) = deployment_events(None, {"id": "acme", "phase": "FAILED"}, factory=factory)
    (sample,) = blocks(ARCHITECTURE, "json")
    shown = json.loads(sample.text)
    assert set(shown) == set(event.detail)
    assert shown["next_step"] == event.detail["next_step"]


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(_LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    decisions = [path for path in folder.glob("*.md") if path.name != "README.md"]
    assert {name for name, _ in listed} == {path.name for path in decisions}
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["What", "Why", "What follows"], path.name
