"""Listeners of Express services: TLS on a port of this machine, passed on to the tasks that answer their checks."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cache
from typing import Any

from local_cloud.server import certificates
from local_cloud.server import settings as server_settings

# As long as a target group waits for an answer by default.
_ANSWER_SECONDS = 5.0
_CHUNK = 65536
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
_UNHEALTHY_FAILURES, _MOST_FAILURES = 2, 3
_UNAVAILABLE, _BAD_GATEWAY = "503 Service Temporarily Unavailable", "502 Bad Gateway"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Gateway:
    """The listener of one service; `ports` tells those of its running tasks, by the task."""

    def __init__(self, *, ports: Callable[[], Mapping[str, int]], path: str) -> None:
        self.port = 0
        self.path = path
        self.ports = ports
        self._turns = itertools.count()
        # Of tasks that once answered: the checks since then that failed.
        self._failures: dict[str, int] = {}
        self._server: asyncio.Server | None = None

    @property
    def healthy(self) -> dict[str, int]:
        """The ports of the running tasks that have answered a check, and not failed the two after it."""
        return {task: port for task, port in self.ports().items() if self._has_answered(task)}

    def _has_answered(self, task: str) -> bool:
        return self._failures.get(task, _UNHEALTHY_FAILURES) < _UNHEALTHY_FAILURES

    @property
    def failing(self) -> list[str]:
        """The tasks that answer no longer, and have not for some checks."""
        return [task for task in self.ports() if self._failures.get(task, 0) >= _MOST_FAILURES]

    def open(self) -> str:
        """Listen; the address."""
        self.port = run(self._open())
        return f"https://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no longer."""
        if self._server:
            _loop().call_soon_threadsafe(self._server.close)

    async def check(self) -> None:
        """Ask every running task for the path of the health check."""
        ports, known = dict(self.ports()), self._failures
        answers = await asyncio.gather(*(_answers(port, self.path) for port in ports.values()))
        self._failures = {
            task: 0 if good else known[task] + 1
            for task, good in zip(ports, answers, strict=True)
            if good or task in known
        }

    async def _open(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=_tls())
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            if target := await self._target():
                target[1].write(head)
                await _exchange((reader, writer), target)
            else:
                await _say(writer, _UNAVAILABLE)
        writer.close()

    async def _target(self) -> Stream | None:
        """A connection to the next healthy task that takes one."""
        ports, turn = list(self.healthy.values()), next(self._turns)
        for number in range(len(ports)):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", ports[(turn + number) % len(ports)])
        return None


def check_all(gateways: Sequence[Gateway]) -> None:
    """Check the tasks of all of these, at once."""

    async def check() -> None:
        await asyncio.gather(*(gateway.check() for gateway in gateways))

    run(check())


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Do something in the loop that all gateways share."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="gateways").start()
    return loop


@cache
def _tls() -> ssl.SSLContext:
    settings = server_settings.current()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate_file(settings), certificates.key_file(settings))
    return context


async def _answers(port: int, path: str) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            status = await reader.readline()
            writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
    return status.split(b" ")[1:2] == [b"200"]


async def _exchange(client: Stream, target: Stream) -> None:
    """Pass on what both say until one of them has no more to say."""
    ways = [asyncio.ensure_future(_ask(client[0], target[1])), asyncio.ensure_future(_answer(target[0], client[1]))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)
    target[1].close()


async def _ask(client: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass on what the client says; that the target is gone shows in its answer."""
    while data := await client.read(_CHUNK):
        target.write(data)
        with contextlib.suppress(OSError):
            await target.drain()


async def _answer(target: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    """Pass on what the target says; one that ended without a word is a bad gateway, as behind an ALB."""
    data = b""
    with contextlib.suppress(OSError):
        data = await target.read(_CHUNK)
    if not data:
        await _say(client, _BAD_GATEWAY)
    while data:
        client.write(data)
        await client.drain()
        data = await target.read(_CHUNK)


async def _say(client: asyncio.StreamWriter, status: str) -> None:
    """Answer in the target's place."""
    body = f"<html><body><center><h1>{status}</h1></center></body></html>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    client.write(f"{head}{body}".encode())
    await client.drain()
