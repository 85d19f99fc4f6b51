"""Route 53: changes of records are refused as AWS does, health checks have a status, and a DNS server answers."""

from __future__ import annotations

from local_cloud.route53.registration import register
from local_cloud.route53.server import port

__all__ = ["port", "register"]
