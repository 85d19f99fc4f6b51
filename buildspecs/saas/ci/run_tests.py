"""The test run of CI/CD: runs the configured command, word by word, without a shell."""

from __future__ import annotations

import subprocess
import sys

from config.loader import load


def main() -> int:
    """Run the tests; their exit code is ours."""
    command = load().toolchain.ci.test_command
    print("running:", *command, flush=True)
    return subprocess.run(command, check=False).returncode  # noqa: S603 - the configured command


if __name__ == "__main__":
    sys.exit(main())
