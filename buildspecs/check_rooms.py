"""What rooms check at the end of a synth, before anything is deployed: the source, and the assembly in `cdk.out`.

With the word `before-synth`: what CI/CD has them check in steps of their own, where a pipeline has no such steps.
"""

from __future__ import annotations

import subprocess
import sys

from config.loader import load
from stacks.cicd import rooms_on


def main(*, before_synth: bool = False) -> int:
    """Run the checks of all rooms that are on, even after one has failed; 1 when one has."""
    jobs = [
        f"buildspecs.{room.name}.{job}"
        for room, _ in rooms_on(load())
        for job in ([step.job for step in room.before_synth] if before_synth else room.checks)
    ]
    failed = [job for job in jobs if not _passes(job)]
    if failed:
        print(f"FAILED: {', '.join(failed)}: nothing is deployed or released", flush=True)
    return 1 if failed else 0


def _passes(job: str) -> bool:
    print("checking:", job, flush=True)
    return subprocess.run([sys.executable, "-m", job], check=False).returncode == 0  # noqa: S603 - a module of ours


if __name__ == "__main__":
    sys.exit(main(before_synth="before-synth" in sys.argv))
