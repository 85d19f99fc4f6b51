"""Ports of this machine, for programs that take them later."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import SystemRandom

# Systems give connections a port above these, Linux from 32768, others from 49152: it could be the very one meanwhile.
_PORTS = range(20_000, 32_000)


def free() -> int:
    """A port that nobody has; raises OSError when there is none."""
    for port in SystemRandom().sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"every port from {_PORTS.start} to {_PORTS.stop - 1} is taken")
