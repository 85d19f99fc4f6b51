"""Arguments of a job, as AWS's library reads them: by argparse, abbreviations included."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

_RESERVED = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "job-bookmark-option", "encryption-type")


class GlueArgumentError(Exception):
    """An argument is missing or has no value."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
    """The values of `options`, each of which must be given, and of those that Glue itself gives."""
    parser = _Parser()
    for name in (*_RESERVED, "TempDir"):
        if name in options and name != "TempDir":
            raise RuntimeError(f"Using reserved arguments --{name}")
        parser.add_argument(f"--{name}")
    for name in options:
        if name != "TempDir":
            parser.add_argument(f"--{name}", required=True)
    return vars(parser.parse_known_args(list(args[1:]))[0])
