"""Ports that programs take later: nobody gets them meanwhile."""

from __future__ import annotations

import socket

import pytest

from local_cloud.server import ports


def test_a_port_is_none_that_the_system_gives_to_connections() -> None:
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        assert ports.free() < given.getsockname()[1]


def test_what_somebody_has_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        taken: int = held.getsockname()[1]
        monkeypatch.setattr(ports, "_PORTS", range(taken, taken + 1))
        with pytest.raises(OSError, match=f"every port from {taken} to {taken} is taken"):
            ports.free()
