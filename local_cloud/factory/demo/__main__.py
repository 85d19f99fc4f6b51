"""`make demo`: the whole factory before your eyes, on this machine, with no AWS account.

Three rows become three tenants; a commit goes to them ring by ring, with one that fails; one of them is retired.
`--room` names another room's: that of `gates` shows a commit that is stopped.
`--keep` plays the first act only and leaves everything running: `make demo-up`. With `--on`, the factory stands already
in a local cloud that runs, and stays: so the tests play the demo on the factory that the README's commands set up.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from rich.console import Console
from rich.markup import escape

from local_cloud.__main__ import DEFAULT_STATE_DIR
from local_cloud.cloud import LocalCloud, LocalCloudError
from local_cloud.factory import demo
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, workspace_folder
from local_cloud.factory.workspace import Workspace

_LOG_WIDTH = 160  # where there is no terminal to fit into
ROOMS = sorted(module.name for module in iter_modules(demo.__path__) if module.ispkg)


def main() -> int:
    """Play a room's demo; the exit code tells whether everything is as it should be."""
    options = _options()
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_WIDTH)
    try:
        cloud = LocalCloud.attach(options.on) if options.on else LocalCloud.start(DEFAULT_STATE_DIR)
    except LocalCloudError as error:
        console.print(f"[red]{escape(str(error))}[/]" + ("" if options.on else "\n`make demo-down` stops it."))
        return 1
    stage = Stage(console=console)
    try:
        room = import_module(f"{demo.__name__}.{options.room}")
        factory = partial(_standing, cloud) if options.on else partial(_built, stage, cloud, room.CONFIGURATION)
        room.play(stage, factory, first_act_only=options.keep)
        console.print(f"\n{stage.seconds:.0f} s in all.")
        if options.keep and not stage.problems:
            _invite(console, cloud)
    except LocalCloudError as error:
        stage.problems.append(f"{error}\nThe server's log: {cloud.settings.log_file}")
    finally:
        if not (options.keep or options.on):
            cloud.stop()
    for problem in stage.problems:
        console.print(f"[red]{escape(problem)}[/]")
    return 1 if stage.problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--room", choices=ROOMS, default="saas", help="whose demo it is")
    parser.add_argument("--keep", action="store_true", help="play the first act, and leave the local cloud running")
    parser.add_argument("--on", type=Path, metavar="STATE_DIR", help="play on the factory that stands there")
    return parser.parse_args()


def _built(
    stage: Stage, cloud: LocalCloud, configuration: Mapping[str, Mapping[str, Any]], *, release: bool = True
) -> Granary:
    granary = Granary.build(cloud, overlay=configuration, step=stage.step)
    if not release:
        return granary
    with stage.step("push the source: CI/CD checks it and publishes the first release"):
        granary.push("first release")
    return granary


def _standing(cloud: LocalCloud, *, release: bool = True) -> Granary:
    del release  # it has one
    return Granary(cloud, Workspace(workspace_folder(cloud)))


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
