"""Reading `config/*.yaml`: all errors at once, each with file, key and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from config.models import Configuration, Toolchain, Workloads

CONFIG_DIR = Path(__file__).parent
FILES: dict[str, type[Toolchain | Workloads]] = {"toolchain": Toolchain, "workloads": Workloads}


class ConfigurationError(Exception):
    """The configuration cannot be used; the text names every error."""


def load(directory: Path = CONFIG_DIR) -> Configuration:
    """Read and check the whole configuration.

    Raises:
        ConfigurationError: with every error of every file, one a line.
    """
    errors: list[str] = []
    parts: dict[str, Any] = {}
    for name, model in FILES.items():
        path = directory / f"{name}.yaml"
        try:
            parts[name] = model.model_validate(_read(path))
        except ValidationError as error:
            errors += _explain(path.name, error)
        except (OSError, yaml.YAMLError) as error:
            errors.append(f"{path.name}: cannot be read: {error}")
    if not errors:
        try:
            return Configuration(**parts)
        except ValidationError as error:
            errors += _explain(directory.name, error)
    raise ConfigurationError("the configuration has errors:\n" + "\n".join(f"  {line}" for line in errors))


def _read(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)  # noqa: S506 - a safe loader either way


def _explain(name: str, error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors(include_url=False):
        key = ".".join(str(part) for part in detail["loc"]) or "(whole file)"
        given = "" if detail["type"] in ("missing", "value_error") else f", not {detail['input']!r}"
        lines.append(f"{name}: {key}: {detail['msg']}{given}")
    return lines
