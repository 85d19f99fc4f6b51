"""Reading `config/*.yaml`: all errors at once, each with file, key and what was expected."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.explain import explain_unreadable, explain_values
from config.models import FILES, OPTIONAL, ROOMS, Configuration
from config.yaml_loader import read_yaml

CONFIG_DIR = Path(__file__).parent


class ConfigurationError(Exception):
    """The configuration cannot be used; the text names every error."""


def load(directory: Path = CONFIG_DIR) -> Configuration:
    """Read and check the whole configuration.

    The file of a room may be absent: the room is off. So may those that are `OPTIONAL`. What concerns several files at
    once is checked when each of them is right.

    Raises:
        ConfigurationError: with every error of every file, one a line.
    """
    errors = _misspelt(directory)
    parts: dict[str, Any] = {}
    for name, model in FILES.items():
        path = directory / f"{name}.yaml"
        if name in {**ROOMS, **OPTIONAL} and not path.exists():
            continue
        try:
            data, told = model.gather(read_yaml(path), directory)
        except Exception as error:  # whatever a file makes YAML's constructors trip over
            errors.append(f"{path.name}: {explain_unreadable(error)}")
            continue
        errors += told
        try:
            parts[name] = model.model_validate(data)
        except ValidationError as error:
            errors += [f"{path.name}: {line}" for line in explain_values(error, data=data)]
    if not errors:
        try:
            sections = {name: parts.pop(name) for name in ROOMS if name in parts}
            if lake := sections.get("lake"):
                sections["lake"] = lake.with_permissions(parts.get("lake-permissions"))
            return Configuration(**parts, rooms=sections)
        except ValidationError as error:
            errors += explain_values(error, data=parts)
    raise ConfigurationError("the configuration has errors:\n" + "\n".join(f"  {line}" for line in errors))


def _misspelt(directory: Path) -> list[str]:
    """Files that are meant for us and would be left alone: a room would be off, and nobody would be told why."""
    found: list[str] = []
    for path in sorted(directory.glob("*.y*ml")):
        known = path.suffix == ".yaml" and path.stem in FILES
        if not known and (meant := get_close_matches(path.stem, FILES, n=1, cutoff=0.8)):
            found.append(f"{path.name}: is no file of the configuration: rename it to {meant[0]}.yaml, or remove it")
    return found
