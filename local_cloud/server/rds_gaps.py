"""What ministack's RDS lacks: restoring from replicated backups, and the resources of some operations.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_region
from ministack.services import rds

from local_cloud.server import iam_gaps
from local_cloud.server.responses import Response

_RESTORE, _TARGET = "RestoreDBInstanceToPointInTime", "TargetDBInstanceIdentifier"
_BACKUPS = "SourceDBInstanceAutomatedBackupsArn"
_SECONDS = 2.0


def register() -> None:
    """Add them; once, before it serves."""
    iam_gaps.resource_of("rds", _resources)
    rds._ACTION_MAP[_RESTORE] = _restore


def _resources(request: iam_gaps.Request) -> list[str] | None:
    def given(name: str) -> str:
        return iam_actions._query_param(request.query, name) or ""

    place = f"arn:aws:rds:{request.region}:{request.account}"
    if request.operation == _RESTORE:
        return [f"{place}:db:{given(_TARGET)}", f"{place}:subgrp:{given('DBSubnetGroupName')}", given(_BACKUPS)]
    name = given("GlobalClusterIdentifier")
    if not name or not request.operation.endswith(("GlobalCluster", "GlobalClusters")):
        return None
    found = [f"arn:aws:rds::{request.account}:global-cluster:{name}"]
    return [*found, target] if (target := given("TargetDbClusterIdentifier")) else found


def _restore(parameters: Mapping[str, Any]) -> Response:
    """Make an instance, which is available after a while: from any automated backups of this Region, and empty."""
    name, backups = (rds._p(parameters, one) for one in (_TARGET, _BACKUPS))
    if f":rds:{get_region()}:" not in backups or ":auto-backup:" not in backups:
        message = f"The local cloud restores from {_BACKUPS} of its own Region alone, not from '{backups}'."
        return rds._error("InvalidParameterValue", message, 400)  # type: ignore[no-any-return]
    rds._snapshots[name] = {"Engine": "postgres", "Status": "available"}
    try:
        given = {"DBInstanceIdentifier": name, "DBSnapshotIdentifier": name}
        subnets = {"DBSubnetGroupName": rds._p(parameters, "DBSubnetGroupName")}
        status, headers, body = rds._restore_from_snapshot({**given, **subnets})
    finally:
        rds._snapshots.pop(name)
    if status == HTTPStatus.OK and (instance := rds._instances[name]):
        instance["DBInstanceStatus"] = "creating"
        instance["Endpoint"]["Address"] = f"{name}.restored.{get_region()}.rds.amazonaws.com"
        threading.Timer(_SECONDS, instance.update, [{"DBInstanceStatus": "available"}]).start()
    return status, headers, body.replace(b"RestoreDBInstanceFromDBSnapshot", _RESTORE.encode())
