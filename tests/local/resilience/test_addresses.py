"""Addresses of tenants, really asked by HTTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from lambdas.resilience.store.probes import answers


class Site(BaseHTTPRequestHandler):
    """Answers with the statuses that its server has, one after the other, and with the last one from then on."""

    def do_GET(self) -> None:
        statuses: list[int] = self.server.statuses  # type: ignore[attr-defined]
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _url(site: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{site.server_address[1]}/"


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_the_status_is_the_answer_and_nobody_is_followed(site: ThreadingHTTPServer, status: int) -> None:
    site.statuses = [status]  # type: ignore[attr-defined]
    assert answers(_url(site), timeout=5) == status


def test_who_answers_a_byte_at_a_time_has_not_answered() -> None:
    """Each read has its answer in time, and the whole never has."""
    over = Event()

    def trickle() -> None:
        there, _ = server.accept()
        with there:
            while not over.wait(0.2):
                with suppress(OSError):
                    there.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=trickle)
        thread.start()
        began = time.monotonic()
        assert answers(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=1) is None
        assert time.monotonic() - began < 5
        over.set()
        thread.join()


def test_who_does_not_answer_answers_nothing() -> None:
    assert answers("http://127.0.0.1:1/", timeout=1) is None
    assert answers("http://[nonsense/", timeout=1) is None
