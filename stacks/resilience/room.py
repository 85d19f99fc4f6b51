"""The room `resilience`: failover of applications from one Region to another."""

from __future__ import annotations

from stacks.resilience.failover import build_failover
from stacks.room import Room

ROOM = Room(name="resilience", parts={"failover": build_failover})
