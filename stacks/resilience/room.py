"""The room `resilience`: experiments as a part of each release, and failover from one Region to another."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from lambdas.resilience.model.names import ROOM as NAME
from stacks.foundation import Foundation
from stacks.room import Room


def _stacks(stage: Construct, foundation: Foundation, section: Any) -> None:
    from stacks.resilience.stack import ResilienceStack

    ResilienceStack(stage, foundation=foundation, section=section)


def _failover(stage: Construct, foundation: Foundation, section: Any) -> None:
    from stacks.resilience.failover import build_failover

    build_failover(stage, foundation, section)


ROOM = Room(
    name=NAME,
    stacks=_stacks,
    actions=("fis_trigger",),
    action_minutes=lambda section: int(section.action_minutes),
    parts={"failover": _failover},
)
