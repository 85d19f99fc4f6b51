"""Assemblies on a disk: what names files outside them is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.cloud_assembly import STACK, STAGE, assemblies_in, stacks_in


def _assembly(folder: Path, kind: str, **properties: str) -> Path:
    folder.mkdir(exist_ok=True)
    one: dict[str, Any] = {"type": kind, "environment": "aws://222222222222/eu-west-1", "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"one": one}}))
    return folder


@pytest.mark.parametrize("name", ["/proc/self/environ", "../secret", "a/../../secret", ".", ""])
def test_what_names_files_outside_it_is_no_assembly(tmp_path: Path, name: str) -> None:
    """A build runs code of others, and reads what that has left with rights that it does not have."""
    (tmp_path / "secret").write_text("{}")
    with pytest.raises(ValueError, match="is not in the assembly that names it"):
        list(stacks_in(_assembly(tmp_path / "s", STACK, templateFile=name)))
    with pytest.raises(ValueError, match="is not in the assembly that names it"):
        list(assemblies_in(_assembly(tmp_path / "a", STAGE, directoryName=name, displayName="p/Deploy")))


def test_assemblies_are_found_in_one_another(tmp_path: Path) -> None:
    outer = _assembly(tmp_path / "a", STAGE, directoryName="./b", displayName="p/Deploy")
    _assembly(outer / "b", STACK, templateFile="t.json")
    assert list(assemblies_in(outer)) == [outer, outer / "b"]
    (stack,) = stacks_in(outer)
    assert (stack.name, stack.template) == ("one", outer / "b" / "t.json")
