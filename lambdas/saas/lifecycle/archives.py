"""Archives of what a component declares stateful: backups and snapshots, in the account and Region of the component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import GranaryError
from lambdas.saas.lifecycle.ports import Kept
from lambdas.saas.lifecycle.refusals import refusals_told
from lambdas.saas.lifecycle.roles import Roles
from lambdas.saas.model.stateful import Stateful, retains_bucket
from lambdas.saas.model.status import StackRef

_GONE = frozenset({"TableNotFoundException", "DBInstanceNotFound", "DBClusterNotFoundFault"})
# A request whose answer was lost is repeated: the snapshot is described next time.
_THERE = frozenset({"DBSnapshotAlreadyExists", "DBClusterSnapshotAlreadyExistsFault"})


@dataclass(frozen=True, kw_only=True)
class AccountArchives:
    """Takes archives with the archive role of the account; asked again, it finds the archive of that name."""

    roles: Roles

    def keep(self, stateful: Stateful, *, ref: StackRef, name: str) -> Kept:
        """Take an archive, or see how far it is.

        Raises:
            GranaryError: it cannot be taken; the text says what to do.
        """
        keepers: Mapping[str, Callable[[str, StackRef, str], Kept]] = {
            "dynamodb-table": self._back_table_up,
            "rds-cluster": self._snapshot_cluster,
            "rds-instance": self._snapshot_instance,
            "s3-bucket": self._keep_bucket,
        }
        with refusals_told(f"{stateful.kind} {stateful.name} cannot be archived"), ignoring(*_THERE):
            return keepers[stateful.kind](stateful.name, ref, name)
        return Kept(text=f"snapshot {name}", ready=False)

    def _back_table_up(self, table: str, ref: StackRef, name: str) -> Kept:
        client = self.roles.archiving(
            "dynamodb",
            account=ref.account,
            region=ref.region,
            actions=("dynamodb:CreateBackup",),
            resources=(f"table/{table}",),
            # Listing backups has no resource.
            listing=("dynamodb:ListBackups",),
        )
        pages = client.get_paginator("list_backups").paginate(TableName=table, BackupType="USER")
        backups = (backup for page in pages for backup in page["BackupSummaries"])
        backup = next((backup for backup in backups if backup["BackupName"] == name), None)
        backup = backup or _taken(lambda: client.create_backup(TableName=table, BackupName=name)["BackupDetails"])
        if backup is None:
            return _nothing("the table")
        return Kept(text=f"backup {backup['BackupArn']}", ready=backup["BackupStatus"] == "AVAILABLE")

    def _snapshot_instance(self, instance: str, ref: StackRef, name: str) -> Kept:
        client = self._rds(ref, "DBSnapshot", f"db:{instance}", f"snapshot:{name}")
        asked = {"DBSnapshotIdentifier": name}
        snapshot = _described(client.describe_db_snapshots, "DBSnapshots", asked, "DBSnapshotNotFound") or _taken(
            lambda: client.create_db_snapshot(DBInstanceIdentifier=instance, **asked)["DBSnapshot"]
        )
        return _snapshot(snapshot, name=name, arn="DBSnapshotArn")

    def _snapshot_cluster(self, cluster: str, ref: StackRef, name: str) -> Kept:
        client = self._rds(ref, "DBClusterSnapshot", f"cluster:{cluster}", f"cluster-snapshot:{name}")
        asked = {"DBClusterSnapshotIdentifier": name}
        describe, missing = client.describe_db_cluster_snapshots, "DBClusterSnapshotNotFoundFault"
        snapshot = _described(describe, "DBClusterSnapshots", asked, missing) or _taken(
            lambda: client.create_db_cluster_snapshot(DBClusterIdentifier=cluster, **asked)["DBClusterSnapshot"]
        )
        return _snapshot(snapshot, name=name, arn="DBClusterSnapshotArn")

    def _keep_bucket(self, bucket: str, ref: StackRef, _name: str) -> Kept:
        """A bucket is its own archive, if the template that is deployed says so: otherwise it goes with its objects."""
        client = self.roles.cloudformation(ref)
        template = client.get_template(StackName=ref.stack_id, TemplateStage="Processed")["TemplateBody"]
        if not (isinstance(template, Mapping) and retains_bucket(template, bucket)):
            raise GranaryError(
                f"bucket {bucket} would be deleted with stack {ref.stack_id}, whose template does not retain it: "
                "deploy it with the removal policy RETAIN, declared in the stack that holds it; or save its objects "
                "and set lifecycle.archive to none"
            )
        return Kept(text=f"bucket {bucket} itself, which its template retains")

    def _rds(self, ref: StackRef, kind: str, *resources: str) -> Any:
        actions = (f"rds:Create{kind}", f"rds:Describe{kind}s", "rds:AddTagsToResource")
        return self.roles.archiving("rds", account=ref.account, region=ref.region, actions=actions, resources=resources)


def _taken(take: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Take an archive; None when what it was to be taken of is gone."""
    with ignoring(*_GONE):
        return take()
    return None


def _nothing(what: str) -> Kept:
    """What is gone needs no archive, and the entry says so."""
    return Kept(text=f"nothing, for {what} is gone")


def _described(
    describe: Callable[..., Mapping[str, Any]], key: str, asked: Mapping[str, str], missing: str
) -> Mapping[str, Any] | None:
    with ignoring(missing):
        return next(iter(describe(**asked)[key]), None)
    return None


def _snapshot(snapshot: Mapping[str, Any] | None, *, name: str, arn: str) -> Kept:
    if snapshot is None:
        return _nothing("the database")
    if snapshot["Status"] == "failed":
        raise GranaryError(f"snapshot {name} has failed: delete it, then retry the retirement")
    return Kept(text=f"snapshot {snapshot[arn]}", ready=snapshot["Status"] == "available")
