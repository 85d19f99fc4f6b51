"""`validate FILE`: rows in a file, before anybody puts them; calls nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from cli.common.errors import NotFoundError, UsageError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.saas.rowfile import problems_of, read_rows
from cli.saas.session import SaasSession


def validate_file(session: SaasSession, output: Output, *, file: Path) -> Exit:
    """Report every error of every row."""
    rows = read_rows(_text(file))
    problems = problems_of(rows, session.policy)
    errors = [problem for problem in problems if not problem.warning]
    told = [problem.document() for problem in problems]
    output.result({"rows": len(rows), "valid": not errors, "problems": told}, (problem.line() for problem in problems))
    wrong = len({problem.row for problem in errors})
    output.say(f"{len(rows)} rows: {wrong} with errors" if errors else f"{len(rows)} rows, all valid")
    return Exit.WRONG if errors else Exit.OK


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {file}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
