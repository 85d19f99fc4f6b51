"""`validate FILE`: rows in a file, before anybody puts them; calls nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from cli.common.errors import NotFoundError, UsageError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.saas.rowfile import problems_of, read_rows
from cli.saas.session import SaasSession

# Characters of a file, far more than a fleet's rows have, and problems of it that are told.
_LIMIT = 10_000_000
_TOLD = 1_000


def validate_file(session: SaasSession, output: Output, *, file: Path) -> Exit:
    """Report every error of every row."""
    rows = read_rows(_text(file))
    found = problems_of(rows, session.policy)
    problems, more = found[:_TOLD], max(0, len(found) - _TOLD)
    errors = [problem for problem in found if not problem.warning]
    told = [problem.document() for problem in problems]
    rest = [f"and {more} more: correct these first"] if more else []
    output.result(
        {"rows": len(rows), "valid": not errors, "problems": told, "more_problems": more},
        (*(problem.line() for problem in problems), *rest),
    )
    wrong = len({problem.row for problem in errors})
    output.say(f"{len(rows)} rows: {wrong} with errors" if errors else f"{len(rows)} rows, all valid")
    return Exit.WRONG if errors else Exit.OK


def _text(file: Path) -> str:
    try:
        if str(file) == "-":
            text = sys.stdin.read(_LIMIT + 1)
        else:
            with file.open(encoding="utf-8-sig") as stream:
                text = stream.read(_LIMIT + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {file}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} cannot be read: {error}: save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    if len(text) > _LIMIT:
        raise UsageError(f"{file} has more than {_LIMIT:,} characters: validate it in parts")
    return text
