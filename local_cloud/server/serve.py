"""Run the server in this process until it gets SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import os
import shutil
import signal
import sys
from pathlib import Path

from local_cloud.server import certificates, environment, settings
from local_cloud.server.settings import Settings
from local_cloud.warm import shims

log = logging.getLogger("local_cloud")


def main(*, state_dir: Path, port: int) -> int:
    """Prepare the state directory, start a clean process in it and serve; returns the exit status.

    ministack reads its configuration from the environment when it is imported, and its Lambda workers inherit it,
    so the process replaces itself once with exactly the environment that `environment.server` describes.
    """
    ours = Settings(state_dir=state_dir.resolve(), port=port)
    if os.environ.get(settings.STATE_DIR_VARIABLE) != str(ours.state_dir):
        _prepare(ours)
        arguments = [
            sys.executable,
            "-m",
            "local_cloud",
            "serve",
            "--state-dir",
            str(ours.state_dir),
            "--port",
            str(port),
        ]
        os.execve(sys.executable, arguments, environment.server(ours) | {"PYTHONPATH": _project_root()})  # noqa: S606
    os.environ.pop("PYTHONPATH", None)
    asyncio.run(_serve(ours))
    return 0


def _project_root() -> str:
    return str(Path(__file__).resolve().parents[2])


def _prepare(ours: Settings) -> None:
    shutil.rmtree(ours.scratch_dir, ignore_errors=True)
    for directory in (ours.scratch_dir / "tmp", ours.builds_dir):
        directory.mkdir(parents=True)
    certificates.ensure(ours)
    shims.prepare(ours)


async def _serve(ours: Settings) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from local_cloud import route53
    from local_cloud.server import application

    config = Config()
    config.bind = [f"127.0.0.1:{ours.port}"]
    config.certfile = str(certificates.certificate_file(ours))
    config.keyfile = str(certificates.key_file(ours))
    # Longer than any client leaves a connection alone: one that is closed as it is used again fails who tries once.
    config.keep_alive_timeout = 3600
    # kill -USR1 <pid> writes every thread's stack to the log: the way to see what a server that hangs waits for.
    faulthandler.register(signal.SIGUSR1)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # A trigger that never fires: without one hypercorn takes the signal handlers and waits for open connections.
    serving = asyncio.ensure_future(serve(application.build(), config, shutdown_trigger=asyncio.Event().wait))
    _write_handle(ours, dns_port=route53.port())
    parents = shims.begin(ours)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    failed = serving.done() and serving.exception() is not None
    if failed:
        log.error("The server ended: %r", serving.exception())
    application.shut_down()
    shims.end(parents)
    ours.handle_file.unlink(missing_ok=True)
    # Nothing is saved, so nothing is waited for: open connections and worker threads end with the process.
    logging.shutdown()
    os._exit(1 if failed else 0)


def _write_handle(ours: Settings, *, dns_port: int) -> None:
    content = {
        "pid": os.getpid(),
        "port": ours.port,
        "dns_port": dns_port,
        "endpoint": ours.endpoint,
        "ca_bundle": str(ours.ca_bundle),
        "node_ca_certs": str(ours.node_ca_certs),
    }
    temporary = ours.handle_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    temporary.replace(ours.handle_file)
