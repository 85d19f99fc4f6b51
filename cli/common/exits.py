"""What the exit codes mean; scripts rely on them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    WRONG = 1  # what was looked at is not as it should be
    USAGE = 2  # typer's own
    NOT_FOUND = 3
    REFUSED = 4
    CONFLICT = 5
    UNREACHABLE = 6
    FAULT = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130


EXPLAINED = (
    "Exit codes: 0 done; 1 what was looked at is wrong (errors in a file, a stopped release, a failed tenant with "
    "--check); 2 wrong usage; 3 not found; 4 AWS refused (credentials, permissions); 5 the state does not allow it; "
    "6 it could not be told: AWS or a scanner could not be reached, or is at its limit; 70 a fault of this program."
)
