"""Command line: python -m local_cloud serve|up|down|env|types|bootstrap."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from local_cloud.cloud import PROJECT_ROOT, LocalCloud, LocalCloudError
from local_cloud.server import environment

DEFAULT_STATE_DIR = PROJECT_ROOT / ".local-cloud"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options))
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cloud", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def add(name: str, command: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR)
        sub.set_defaults(command=command)
        return sub

    add("serve", _serve, "serve in the foreground").add_argument("--port", type=int, default=4566)
    add("up", _up, "start in the background").add_argument("--port", type=int, default=None)
    add("down", _down, "stop the one that runs in the background")
    add("types", _types, "print the CloudFormation types that a local cloud has, as JSON")
    for name, command, text in (
        ("env", _env, "print shell exports for AWS tools"),
        ("bootstrap", _bootstrap, "run cdk bootstrap"),
    ):
        sub = add(name, command, text)
        sub.add_argument("--account", required=True)
        sub.add_argument("--region", required=True)
        if name == "bootstrap":
            sub.add_argument("--trust", action="append", default=[])
    return parser


def _serve(options: argparse.Namespace) -> int:
    from local_cloud.server import serve

    return serve.main(state_dir=options.state_dir, port=options.port)


def _up(options: argparse.Namespace) -> int:
    cloud = LocalCloud.start(options.state_dir, options.port)
    print(f"The local cloud serves {cloud.endpoint} (process {cloud.pid}, log {cloud.settings.log_file}).")
    return 0


def _down(options: argparse.Namespace) -> int:
    try:
        LocalCloud.attach(options.state_dir).stop()
    except LocalCloudError:
        print(f"No local cloud runs in {options.state_dir}: there is nothing to stop.")
    return 0


def _env(options: argparse.Namespace) -> int:
    cloud = LocalCloud.attach(options.state_dir)
    for name, value in environment.client(cloud.settings, account=options.account, region=options.region).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _types(_: argparse.Namespace) -> int:
    from local_cloud.server import known_types

    print(json.dumps(known_types.known_types()))
    return 0


def _bootstrap(options: argparse.Namespace) -> int:
    LocalCloud.attach(options.state_dir).bootstrap(options.account, options.region, trust=options.trust)
    return 0


if __name__ == "__main__":
    sys.exit(main())
