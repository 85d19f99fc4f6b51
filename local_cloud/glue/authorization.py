"""What a Glue request acts on, for IAM: a table needs its action on the database and the catalog, too.

https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.server.iam_gaps import Request

# Operations on all of a kind, and what they are evaluated on.
_OF_ALL = {"GetDatabases": ("catalog", "database/*"), "GetCrawlers": ("*",), "GetJobs": ("*",), "ListJobs": ("*",)}


def resources(request: Request) -> tuple[str, ...]:
    """The ARNs of all that a request needs its action on."""
    if arn := request.body.get("ResourceArn"):
        return (str(arn),)
    place = f"arn:aws:glue:{request.region}:{request.account}:"
    of_all = ("*",) if request.operation.endswith("SecurityConfiguration") else _OF_ALL.get(request.operation)
    names = of_all or _names(request.operation, request.body)
    return tuple(name if name == "*" else place + name for name in names)


def _names(operation: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    kind = next((kind for kind in ("Job", "Crawler") if kind in operation), "")
    if kind:
        return (f"{kind.lower()}/{body.get(f'{kind}Name') or body.get('Name')}",)
    if "Connection" in operation:
        return ("catalog", f"connection/{_name(body, 'Connection') or body.get('Name') or '*'}")
    database = _name(body, "Database") or body.get("Name")
    whole = ("catalog", f"database/{database}")
    if operation == "DeleteDatabase":
        return (*whole, f"table/{database}/*", f"userDefinedFunction/{database}/*")
    if operation.endswith("Database"):
        return whole
    several = body.get("TablesToDelete")
    tables = several if isinstance(several, list) else [_name(body, "Table") or body.get("Name") or "*"]
    return (*whole, *(f"table/{database}/{table}" for table in tables))


def _name(body: Mapping[str, Any], kind: str) -> Any:
    given = body.get(f"{kind}Input")
    return body.get(f"{kind}Name") or (given.get("Name") if isinstance(given, dict) else None)
