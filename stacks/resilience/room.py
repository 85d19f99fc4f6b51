"""The room `resilience`: experiments as a part of each release, and failover from one Region to another."""

from __future__ import annotations

from lambdas.resilience.model.names import ROOM as NAME
from stacks.resilience.failover import build_failover
from stacks.resilience.stack import ResilienceStack
from stacks.room import Room

ROOM = Room(
    name=NAME,
    stacks=lambda stage, foundation, section: ResilienceStack(stage, foundation=foundation, section=section),
    actions=("fis_trigger",),
    parts={"failover": build_failover},
)
