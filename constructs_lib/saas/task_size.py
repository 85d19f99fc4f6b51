"""How much processor and memory the tasks of a component get."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TaskSize:
    """CPU units (1,024 are one vCPU) and memory in MiB, both as ECS writes them."""

    cpu: str
    memory: str
