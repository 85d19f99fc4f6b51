"""Databases of a group: a step each, with a check of its own, in the Region that they are to serve from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of, ignoring
from lambdas.common.errors import GranaryError
from lambdas.resilience.model.failover.catalogue import Database, Restore

_AVAILABLE = "available"
_NOT_NOW = frozenset({"InvalidGlobalClusterStateFault", "InvalidDBClusterStateFault"})


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Where a database is served in the Region: its name in DNS, or what it still waits for."""

    address: str = ""
    waiting: str = ""


@dataclass(frozen=True, kw_only=True)
class Databases:
    """RDS in the Region `region`."""

    rds: Any
    region: str

    def bring(self, database: Database, *, unplanned: bool) -> Arrival:
        """Begin what brings a database here, or look how far it is; never begins anything twice.

        Raises:
            GranaryError: it cannot come here.
        """
        if database.global_cluster:
            return self._global(database.global_cluster, unplanned=unplanned)
        restore = database.restores.get(self.region)
        if restore is None:
            raise GranaryError(f"{database.name} cannot come to {self.region}: no backups are replicated there")
        return self._restored(restore)

    def _global(self, identifier: str, *, unplanned: bool) -> Arrival:
        (found,) = self.rds.describe_global_clusters(GlobalClusterIdentifier=identifier)["GlobalClusters"]
        mine = [one for one in found["GlobalClusterMembers"] if f":rds:{self.region}:" in one["DBClusterArn"]]
        if not mine:
            raise GranaryError(f"global cluster {identifier} has no cluster in {self.region}: add one")
        arn = str(mine[0]["DBClusterArn"])
        if mine[0]["IsWriter"] and found["Status"] == _AVAILABLE:
            cluster = self.rds.describe_db_clusters(DBClusterIdentifier=arn.rsplit(":", 1)[-1])["DBClusters"][0]
            return Arrival(address=cluster["Endpoint"])
        told = found["Status"]
        if told == _AVAILABLE and not found.get("FailoverState"):
            asked = {"GlobalClusterIdentifier": identifier, "TargetDbClusterIdentifier": arn}
            try:
                if unplanned:
                    self.rds.failover_global_cluster(**asked, AllowDataLoss=True)
                else:
                    self.rds.switchover_global_cluster(**asked)
            except ClientError as error:
                # What began in between, or at the other operator's word, is waited for.
                if code_of(error) not in _NOT_NOW:
                    raise
                told = error.response["Error"].get("Message", code_of(error))
        return Arrival(waiting=f"the writer of global cluster {identifier} comes to {self.region} ({told})")

    def _restored(self, restore: Restore) -> Arrival:
        with ignoring("DBInstanceNotFound", "DBInstanceNotFoundFault"):
            answer = self.rds.describe_db_instances(DBInstanceIdentifier=restore.instance)
            (found,) = answer["DBInstances"]
            if found["DBInstanceStatus"] == _AVAILABLE:
                return Arrival(address=found["Endpoint"]["Address"])
            return Arrival(waiting=f"instance {restore.instance} is {found['DBInstanceStatus']}")
        with ignoring("DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault"):
            self.rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceAutomatedBackupsArn=restore.backups,
                TargetDBInstanceIdentifier=restore.instance,
                UseLatestRestorableTime=True,
                DBSubnetGroupName=restore.subnet_group,
                VpcSecurityGroupIds=list(restore.security_groups),
            )
        return Arrival(waiting=f"instance {restore.instance} is being restored")
