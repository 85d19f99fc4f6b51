"""A small Security Hub: findings are imported, searched and triaged, with the service's limits and errors."""

from __future__ import annotations

from local_cloud.securityhub.registration import register

__all__ = ["register"]
