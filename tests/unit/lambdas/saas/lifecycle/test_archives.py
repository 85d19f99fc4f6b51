"""Archives in a workload account: made once, and told when they are refused."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from lambdas.common.errors import GranaryError
from lambdas.common.stateful import Stateful
from lambdas.common.status import StackRef
from lambdas.saas.lifecycle.archives import AccountArchives
from lambdas.saas.lifecycle.ports import Kept
from tests.unit.lambdas.lifecycle_fakes import COMPONENT, WORKLOAD
from tests.unit.lambdas.saas.lifecycle.adapters import NOON, REGION, SESSION, roles, stubbed


def keep(sts: Stubber, stub: Stubber, kind: str, name: str) -> Kept:
    sts.add_response("assume_role", SESSION)
    archives = AccountArchives(roles=roles(sts, stub))
    return archives.keep(Stateful(kind=kind, name=name), ref=COMPONENT, name="granary-silo-acme-20261125-abc")


BACKUP = {
    "BackupArn": f"arn:aws:dynamodb:{REGION}:{WORKLOAD}:table/silo-acme-orders/backup/01600000000000-12345678",
    "BackupName": "granary-silo-acme-20261125-abc",
    "BackupStatus": "CREATING",
    "BackupType": "USER",
    "BackupCreationDateTime": NOON,
}


def test_a_table_is_backed_up_once(sts: Stubber) -> None:
    with stubbed("dynamodb") as dynamodb:
        listed = {"TableName": "silo-acme-orders", "BackupType": "USER"}
        other = {**BACKUP, "BackupName": "nightly", "BackupStatus": "AVAILABLE"}
        dynamodb.add_response("list_backups", {"BackupSummaries": [other]}, listed)
        asked = {"TableName": "silo-acme-orders", "BackupName": BACKUP["BackupName"]}
        dynamodb.add_response("create_backup", {"BackupDetails": BACKUP}, asked)
        assert not keep(sts, dynamodb, "dynamodb-table", "silo-acme-orders").ready
        again = {"BackupSummaries": [other, {**BACKUP, "BackupStatus": "AVAILABLE"}]}
        dynamodb.add_response("list_backups", again, listed)
        kept = keep(sts, dynamodb, "dynamodb-table", "silo-acme-orders")
        assert kept == Kept(text=f"backup {BACKUP['BackupArn']}", ready=True)


def test_a_table_that_is_gone_needs_no_backup(sts: Stubber) -> None:
    with stubbed("dynamodb") as dynamodb:
        dynamodb.add_response("list_backups", {"BackupSummaries": []})
        dynamodb.add_client_error("create_backup", "TableNotFoundException")
        kept = keep(sts, dynamodb, "dynamodb-table", "silo-acme-orders")
        assert kept == Kept(text="nothing, for the table is gone", ready=True)


@pytest.mark.parametrize(("kind", "database"), [("rds-instance", "DB"), ("rds-cluster", "DBCluster")])
def test_a_database_gets_a_snapshot_once(sts: Stubber, kind: str, database: str) -> None:
    operation = "db_snapshot" if database == "DB" else "db_cluster_snapshot"
    source = "DBInstanceIdentifier" if database == "DB" else "DBClusterIdentifier"
    missing = "DBSnapshotNotFound" if database == "DB" else "DBClusterSnapshotNotFoundFault"
    key, arn = f"{database}Snapshot", f"{database}SnapshotArn"
    asked = {f"{database}SnapshotIdentifier": "granary-silo-acme-20261125-abc"}
    with stubbed("rds") as rds:
        rds.add_client_error(f"describe_{operation}s", missing)
        creating = {key: {arn: "arn:s", "Status": "creating"}}
        rds.add_response(f"create_{operation}", creating, {source: "silo-acme-db", **asked})
        assert keep(sts, rds, kind, "silo-acme-db") == Kept(text="snapshot arn:s", ready=False)
        rds.add_response(f"describe_{operation}s", {f"{key}s": [{arn: "arn:s", "Status": "available"}]}, asked)
        assert keep(sts, rds, kind, "silo-acme-db") == Kept(text="snapshot arn:s", ready=True)


def test_a_snapshot_that_has_failed_is_told(sts: Stubber) -> None:
    with stubbed("rds") as rds:
        rds.add_response("describe_db_snapshots", {"DBSnapshots": [{"DBSnapshotArn": "arn:s", "Status": "failed"}]})
        with pytest.raises(GranaryError, match="has failed: delete it"):
            keep(sts, rds, "rds-instance", "silo-acme-db")


def test_a_refused_archive_is_told(sts: Stubber) -> None:
    with stubbed("rds") as rds:
        rds.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
        rds.add_client_error("create_db_snapshot", "SnapshotQuotaExceeded", "too many")
        with pytest.raises(GranaryError, match="database silo-acme-db cannot be archived: too many"):
            keep(sts, rds, "rds-instance", "silo-acme-db")


def test_a_bucket_is_kept_itself(sts: Stubber) -> None:
    archives = AccountArchives(roles=roles(sts))
    stateful = Stateful(kind="s3-bucket", name="silo-acme-files")
    ref = StackRef(kind="component", stack_id="x", account=WORKLOAD, region=REGION)
    assert archives.keep(stateful, ref=ref, name="n").text.startswith("bucket silo-acme-files itself")
