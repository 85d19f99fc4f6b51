"""Adds the service to the server, before the catalog; what is not served here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.glue import registration as glue
from local_cloud.lakeformation import governed, grants, lake, state, tags
from local_cloud.server.json_api import Operation, Service

SERVICE = Service(
    name="lakeformation",
    operations={**grants.OPERATIONS, **tags.OPERATIONS, **lake.OPERATIONS},
    invalid=lambda _operation, _member: "InvalidInputException",
)


def register() -> None:
    """Add the API, and let the catalog ask it; once, before serving. IAM knows no resources of it."""
    SERVICE.wrap(lambda _name, operation: lambda request: _alone(operation, request))
    SERVICE.register()
    glue.SERVICE.wrap(governed.govern)


def _alone(operation: Operation, request: Mapping[str, Any]) -> dict[str, Any]:
    with state.lock:
        return operation(request)
