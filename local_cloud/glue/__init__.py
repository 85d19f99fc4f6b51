"""Glue: jobs that are executed as processes of this machine, Spark's among them, and a catalog that has pages."""

from __future__ import annotations

from local_cloud.glue.jobs import stop_all
from local_cloud.glue.registration import register

__all__ = ["register", "stop_all"]
