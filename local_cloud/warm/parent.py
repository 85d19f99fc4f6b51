"""A parent: imports libraries once, and forks for each program that a client asks for. Run as a script, by its path.

Each connection gets a fork that waits, and a fork of that, which is the program: it leads a process group, which is
killed when the client goes away.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import marshal
import os
import runpy
import select
import signal
import socket
import sys
import threading
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

# What builds and commands import that is not of the project. None of it may start a thread or a process: the CDK's
# libraries do not where `_put_kernel_off` has run.
LIBRARIES = (
    "aws_cdk.aws_codepipeline_actions",
    "aws_cdk.aws_dynamodb",
    "aws_cdk.aws_ec2",
    "aws_cdk.aws_ecr_assets",
    "aws_cdk.aws_events_targets",
    "aws_cdk.aws_lambda",
    "aws_cdk.aws_stepfunctions",
    "aws_cdk.pipelines",
    "awscli.clidriver",
    "boto3",
    "boto3.dynamodb.types",
    "botocore.config",
    "botocore.endpoint",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.signers",
    "cattr",
    "concurrent.futures.thread",
    "http.client",
    "ijson",
    "importlib.metadata",
    "pip._internal.cli.main",
    "pip._internal.commands.install",
    "pydantic",
    "pydantic._internal._generate_schema",
    "pydantic.dataclasses",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.types",
    "rich.console",
    "rich.traceback",
    "typeguard",
    "typer",
    "urllib3",
    "yaml",
    "zipfile",
)
_LENGTH_BYTES = 4
_WAITING = 64
# As Python ends when what a program has said cannot be written.
_UNWRITTEN = 120
_INTERRUPTED = -int(signal.SIGINT)


def main(path: str, compiled: str) -> None:
    """Serve the socket until who has started this process closes our standard input; `compiled` is a folder."""
    _share_compiled(Path(compiled))
    # The folder of this file is nobody's.
    del sys.path[0]
    with contextlib.suppress(ImportError):
        _put_kernel_off()
    for name in LIBRARIES:
        # What an environment lacks is imported by who needs it, and fails there.
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    own, streams = frozenset(map(id, sys.modules.values())), (sys.stdout.buffer, sys.stderr.buffer)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(_WAITING)
    heard: list[Any] = [listener, 0]
    while True:
        ready, _, _ = select.select(heard, [], [])
        if 0 in ready:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _mind(connection, partial(_end, own=own, streams=streams))
        connection.close()


def _share_compiled(folder: Path) -> None:
    from compiled import share  # type: ignore[import-not-found]  # beside this script, while its folder is on the path

    share(folder)
    # A program may have a module of that name.
    del sys.modules[share.__module__]


def _put_kernel_off() -> None:
    """Have jsii's Node process begin when a program asks for more than to load libraries, and load them then."""
    from jsii._kernel.providers import process
    from jsii._kernel.types import LoadResponse
    from jsii._runtime import kernel

    class Later(process.ProcessProvider):
        def __init__(self) -> None:
            self._asked: list[Any] = []
            self._begun: Any = None

        @property
        def _process(self) -> Any:
            if self._begun is None:
                self._begun = process._NodeProcess()  # type: ignore[no-untyped-call]  # as the library itself does
                self._begun.start()
                for request in self._asked:
                    self._begun.send(request, LoadResponse)
            return self._begun

        def load(self, request: Any) -> Any:
            self._asked.append(request)
            return self._begun and self._begun.send(request, LoadResponse)

    kernel.provider = Later()


def _mind(connection: socket.socket, end: Callable[[int], NoReturn]) -> NoReturn:
    """Run what the connection asks for, in a fork, and tell how it ended; `end` ends it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    begun, streams, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, 3)
    asked = marshal.loads(_read(connection, int.from_bytes(begun, "big")))  # noqa: S302 - of our own client
    program = os.fork()
    if program == 0:
        connection.close()
        _become(asked, streams)
        end(_how_it_ends(asked["words"]))
    # Whoever of both comes first: who asked may go away before the program leads its group.
    with contextlib.suppress(OSError):
        os.setpgid(program, program)
    # Who reads what the program writes waits until everybody has closed it.
    for stream in (0, 1, 2, *streams):
        os.close(stream)
    ended = os.pidfd_open(program)
    heard: list[Any] = [ended, connection]
    ready, _, _ = select.select(heard, [], [])
    if ended not in ready:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    try:
        connection.sendall(status.to_bytes(_LENGTH_BYTES, "big", signed=True))
    finally:
        os._exit(0)


def _read(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        if not (part := connection.recv(length - len(found))):
            os._exit(1)
        found += part
    return found


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Take over what a process has of who starts it."""
    os.setpgid(0, 0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["directory"])
    os.umask(asked["umask"])
    os.environb.clear()
    os.environb.update(asked["environment"])
    sys.executable = asked["executable"]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    if os.environ.get("PYTHONUNBUFFERED"):
        sys.stdout, sys.stderr = _unbuffered(1, sys.stdout), _unbuffered(2, sys.stderr)
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=os.isatty(1))
    sys.path[:0] = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    importlib.invalidate_caches()


def _unbuffered(number: int, before: Any) -> io.TextIOWrapper:
    raw: Any = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding=before.encoding, errors=before.errors, write_through=True)


def _how_it_ends(words: list[str]) -> int:
    """The exit code of a program, which is run, or less than 0, the signal that ends it; why it failed is told."""
    try:
        _run(words)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return (ended.code or 0) & 0xFF
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException as error:
        sys.excepthook(*sys.exc_info())
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _end(status: int, *, own: frozenset[int], streams: tuple[Any, ...]) -> NoReturn:
    """End as Python does, but for taking apart what the parent has imported: that takes longer than many a program.

    `own` are the parent's modules, by their ids, and `streams` what its output was written to.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # what waits for threads, also in Python's own end
        atexit._run_exitfuncs()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    is_written = _write_out(streams)
    # A thread that goes on until the very end shall not tell that the ground is taken from under it.
    threading.excepthook = lambda _: None
    for module in [one for one in sys.modules.values() if id(one) not in own and isinstance(one, types.ModuleType)]:
        vars(module).clear()
    gc.collect()
    is_written &= _write_out(streams)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if is_written else _UNWRITTEN)


def _write_out(streams: tuple[Any, ...]) -> bool:
    """Whether all that was said could be written; why not is told, as Python tells it."""
    is_written = True
    for stream in (sys.stdout, sys.stderr, *streams):
        if stream is None or getattr(stream, "closed", False):
            continue
        try:
            stream.flush()
        except BaseException as error:
            is_written = False
            with contextlib.suppress(Exception):
                print(f"Exception ignored in: {stream!r}\n{type(error).__name__}: {error}", file=sys.stderr)
    return is_written


def _run(words: list[str]) -> None:
    """Run the module, the code or the script that the words name, as Python does."""
    kind, rest = words[0], words[1:]
    place = types.ModuleType("__main__")
    sys.modules["__main__"] = place
    if kind == "-m":
        sys.argv, sys.path[:0] = rest, [str(Path.cwd())]
        runpy._run_module_as_main(rest[0])  # type: ignore[attr-defined]  # what `python -m` itself calls
    elif kind == "-c":
        sys.argv, sys.path[:0] = [kind, *rest[1:]], [""]
        exec(compile(rest[0], "<string>", "exec"), vars(place))  # noqa: S102 - it is what is asked for
    else:
        if Path(kind).name == "aws":
            # It puts the place of its data into the environment when it is imported.
            importlib.reload(sys.modules["awscli"])
        sys.argv, sys.path[:0] = words, [str(Path(kind).resolve().parent)]
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
