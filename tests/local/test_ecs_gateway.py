"""What the listener of a service answers for its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from local_cloud.ecs.gateway import Gateway

_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A task that is well."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwell")
    writer.close()


async def _is_killed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A task that ends with a request in flight: what it has not read makes the kernel reset the connection."""
    await reader.readexactly(1)
    writer.transport.abort()


async def _ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A task that ends when it has read the request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def _ends_midway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwe")
    writer.close()


async def _asked(serve: _Serve) -> str:
    """What is answered for a task that was healthy, and serves so from now on."""
    ports: dict[str, int] = {}
    gateway = Gateway(ports=lambda: ports, path="/")

    async def task(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (serve if gateway.healthy else _answers)(reader, writer)

    async with await asyncio.start_server(task, "127.0.0.1", 0) as server:
        ports["task"] = server.sockets[0].getsockname()[1]
        while not gateway.healthy:
            await gateway.check()
        async with await asyncio.start_server(gateway._serve, "127.0.0.1", 0) as listener:
            reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
            writer.write(_REQUEST)
            answer = await reader.read()
            writer.close()
    return answer.decode()


@pytest.mark.parametrize("serve", [_is_killed, _ends])
def test_a_task_that_ends_without_a_word_is_a_bad_gateway(serve: _Serve) -> None:
    answer = asyncio.run(_asked(serve))
    assert answer.startswith("HTTP/1.1 502 Bad Gateway\r\n")
    assert answer.endswith("</html>")


def test_what_a_task_says_is_passed_on_and_nothing_else() -> None:
    assert asyncio.run(_asked(_answers)).endswith("\r\n\r\nwell")
    assert asyncio.run(_asked(_ends_midway)).endswith("\r\n\r\nwe")
