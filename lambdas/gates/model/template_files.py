"""The templates of a cloud assembly, nested ones included, each read before a tool is trusted to; pure."""

from __future__ import annotations

import json
from pathlib import Path

from lambdas.common.errors import GranaryError


class AssemblyError(GranaryError):
    """An assembly has a template that nobody could judge."""


def templates_below(target: Path) -> list[Path]:
    """The templates below a folder.

    Raises:
        AssemblyError: one is no template: tools pass over such without a word.
    """
    found = sorted(target.rglob("*.template.json"))
    for path in found:
        try:
            template = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise AssemblyError(f"{path.name} is no JSON: {error}") from error
        if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
            raise AssemblyError(f"{path.name} has no Resources")
    return found
