"""ECS: tasks are processes of this machine, services keep their number, Express Mode puts a listener in front."""

from __future__ import annotations

from local_cloud.ecs.processes import PROCESSES
from local_cloud.ecs.registration import register

stop_all = PROCESSES.stop_all

__all__ = ["register", "stop_all"]
