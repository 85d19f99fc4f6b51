"""Ends the process groups that it was told of when who told it is gone, however that came about."""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Read `+<group>` and `-<group>`, a line each, until the other side is closed."""
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        groups = groups | {number} if line[0] == "+" else groups - {number}
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
