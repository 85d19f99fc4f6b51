"""`make demo`: the whole factory before your eyes, on this machine, with no AWS account.

Three rows become three tenants; a commit goes to them ring by ring, with one that fails; one of them is retired.
`--keep` plays the first act only and leaves everything running: `make demo-up`.
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.markup import escape

from local_cloud.__main__ import DEFAULT_STATE_DIR
from local_cloud.cloud import LocalCloud, LocalCloudError
from local_cloud.factory.demo import onboarding, release, retirement
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN

_LOG_WIDTH = 160  # where there is no terminal to fit into


def main() -> int:
    """Play the demo; the exit code tells whether everything is as it should be."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="play the first act, and leave the local cloud running")
    keep = parser.parse_args().keep
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_WIDTH)
    try:
        cloud = LocalCloud.start(DEFAULT_STATE_DIR)
    except LocalCloudError as error:
        console.print(f"[red]{escape(str(error))}[/]\n`make demo-down` stops it.")
        return 1
    stage = Stage(console=console)
    try:
        _play(stage, cloud, first_act_only=keep)
        if keep and not stage.problems:
            _invite(console, cloud)
    except LocalCloudError as error:
        stage.problems.append(f"{error}\nThe server's log: {cloud.settings.log_file}")
    finally:
        if not keep:
            cloud.stop()
    for problem in stage.problems:
        console.print(f"[red]{escape(problem)}[/]")
    return 1 if stage.problems else 0


def _play(stage: Stage, cloud: LocalCloud, *, first_act_only: bool) -> None:
    granary = onboarding.play(stage, cloud)
    if not first_act_only:
        release.play(stage, granary)
        retirement.play(stage, granary)
    stage.console.print(f"\n{stage.seconds:.0f} s in all.")


def _invite(console: Console, cloud: LocalCloud) -> None:
    console.print(
        f"\nThe factory runs at {cloud.endpoint}. To play with it (AWS CLI, boto3, granary):\n\n"
        f'  eval "$(.venv/bin/python -m local_cloud env --account {TOOLCHAIN} --region {HOME})"\n'
        f"  .venv/bin/granary list\n"
        f"  .venv/bin/aws dynamodb scan --table-name {NAMES.status_table}\n\n"
        "That sets these variables:",
        highlight=False,
    )
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_CA_BUNDLE"):
        console.print(f"  export {name}={cloud.env(TOOLCHAIN, HOME)[name]}", highlight=False, soft_wrap=True)
    console.print("\n`make demo-down` stops it.")


if __name__ == "__main__":
    sys.exit(main())
