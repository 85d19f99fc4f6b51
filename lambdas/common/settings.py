"""A function's settings: one frozen dataclass a handler, read in one piece.

A field is the environment variable of its name in capitals. What grows with the configuration does not fit into an
environment (4 KB in all): such a field is a `Document`, a file that is deployed in the function's package.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NewType, TypeVar, get_type_hints

from lambdas.common.errors import GranaryError

Document = NewType("Document", str)

# The folder of the package, and the variable with which Lambda says where the package is.
DOCUMENTS = "documents"
_ROOT = "LAMBDA_TASK_ROOT"

_Settings = TypeVar("_Settings")


def read_settings(kind: type[_Settings]) -> _Settings:
    """Fill a handler's settings; the error names everything that is missing, and has no default, or is malformed."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, expected in get_type_hints(kind).items():
        if hasattr(kind, name) and not os.environ.get(name.upper()):
            continue
        try:
            values[name] = _read(name, expected)
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise GranaryError(f"{'; '.join(wrong)}. Deploy the toolchain: it gives functions their settings.")
    return kind(**values)


def _read(name: str, expected: Any) -> str | int:
    if expected is Document:
        path = Path(os.environ.get(_ROOT, "."), DOCUMENTS, f"{name}.json")
        if not path.is_file():
            raise ValueError(f"the document {DOCUMENTS}/{path.name} is missing")
        return path.read_text(encoding="utf-8")
    variable = name.upper()
    text = os.environ.get(variable, "")
    if not text:
        raise ValueError(f"the environment variable {variable} is missing")
    try:
        return int(text) if expected is int else text
    except ValueError:
        raise ValueError(f"the environment variable {variable} is no whole number: {text!r}") from None
