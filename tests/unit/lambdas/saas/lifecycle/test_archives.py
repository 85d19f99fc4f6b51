"""Archives in a workload account: made once, and told when they are refused."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError, UnStubbedResponseError
from botocore.stub import Stubber

from lambdas.common.errors import GranaryError
from lambdas.saas.lifecycle.archives import AccountArchives
from lambdas.saas.lifecycle.ports import Kept
from lambdas.saas.model.stateful import Stateful
from tests.unit.lambdas.saas.lifecycle.adapters import NOON, REGION, SESSION, roles, stubbed
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, WORKLOAD


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
        with pytest.raises(GranaryError, match="rds-instance silo-acme-db cannot be archived: too many"):
            keep(sts, rds, "rds-instance", "silo-acme-db")


@pytest.mark.parametrize("code", ["InvalidParameterValue", "AccessDenied", "OptInRequired", "InvalidDBInstanceState"])
@pytest.mark.parametrize("operation", ["describe_db_snapshots", "create_db_snapshot"])
def test_every_refusal_is_told_wherever_it_comes(sts: Stubber, code: str, operation: str) -> None:
    with stubbed("rds") as rds:
        if operation == "create_db_snapshot":
            rds.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
        rds.add_client_error(operation, code, "no")
        with pytest.raises(GranaryError, match=rf"rds-instance silo-acme-db cannot be archived: no \({code}\)"):
            keep(sts, rds, "rds-instance", "silo-acme-db")


def test_a_refused_list_of_backups_is_told(sts: Stubber) -> None:
    with stubbed("dynamodb") as dynamodb:
        dynamodb.add_client_error("list_backups", "AccessDeniedException", http_status_code=400)
        with pytest.raises(GranaryError, match=r"gives no reason \(AccessDeniedException\)"):
            keep(sts, dynamodb, "dynamodb-table", "silo-acme-orders")


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("InternalFailure", 500)])
def test_what_passes_by_itself_is_a_fault(sts: Stubber, code: str, status: int) -> None:
    with stubbed("rds") as rds:
        rds.add_client_error("describe_db_snapshots", code, http_status_code=status)
        with pytest.raises(ClientError):
            keep(sts, rds, "rds-instance", "silo-acme-db")


def test_a_snapshot_whose_making_was_not_answered_is_looked_at_again(sts: Stubber) -> None:
    with stubbed("rds") as rds:
        rds.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
        rds.add_client_error("create_db_snapshot", "DBSnapshotAlreadyExists")
        assert not keep(sts, rds, "rds-instance", "silo-acme-db").ready


def bucket(policy: str | None, name: object = "silo-acme-files") -> dict[str, object]:
    return {"Type": "AWS::S3::Bucket", "DeletionPolicy": policy, "Properties": {"BucketName": name}}


def template(resources: object) -> dict[str, str]:
    return {"TemplateBody": json.dumps({"Resources": resources})}


def test_a_bucket_that_its_template_retains_is_kept_itself(sts: Stubber) -> None:
    with stubbed("cloudformation") as stub:
        asked = {"StackName": COMPONENT.stack_id, "TemplateStage": "Processed"}
        resources = {"Files": bucket("Retain"), "Cache": bucket("Delete", "silo-acme-cache")}
        stub.add_response("get_template", template(resources), asked)
        kept = keep(sts, stub, "s3-bucket", "silo-acme-files")
        assert kept == Kept(text="bucket silo-acme-files itself, which its template retains")


@pytest.mark.parametrize(
    "body",
    [
        template({"Files": bucket("Delete")}),
        template({"Files": bucket(None)}),
        template({"Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}),
        {"TemplateBody": "Resources:\n  Files:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n"},
    ],
    ids=["deleted", "by default", "elsewhere", "not read"],
)
def test_a_bucket_that_would_go_is_no_archive(sts: Stubber, body: dict[str, str]) -> None:
    with stubbed("cloudformation") as stub:
        stub.add_response("get_template", body)
        with pytest.raises(GranaryError, match="bucket silo-acme-files would be deleted with stack arn"):
            keep(sts, stub, "s3-bucket", "silo-acme-files")


def test_a_bucket_whose_template_cannot_be_read_is_no_archive(sts: Stubber) -> None:
    with stubbed("cloudformation") as stub:
        stub.add_client_error("get_template", "AccessDenied", "no", http_status_code=403)
        with pytest.raises(GranaryError, match="s3-bucket silo-acme-files cannot be archived: no"):
            keep(sts, stub, "s3-bucket", "silo-acme-files")


@pytest.mark.parametrize(
    ("kind", "archived", "listed"),
    [
        ("dynamodb-table", ["dynamodb:{}:table/silo-acme-orders"], ["dynamodb:ListBackups"]),
        ("rds-instance", ["rds:{}:db:silo-acme-orders", "rds:{}:snapshot:granary-silo-acme-20261125-abc"], []),
        (
            "rds-cluster",
            ["rds:{}:cluster:silo-acme-orders", "rds:{}:cluster-snapshot:granary-silo-acme-20261125-abc"],
            [],
        ),
    ],
)
def test_a_session_archives_what_is_declared_and_nothing_else(
    sts: Stubber, kind: str, archived: list[str], listed: list[str]
) -> None:
    """Given the tenants acme and acme-b, whose tables both have names of acme's, then a session reaches one table."""
    seen: list[str] = []
    sts.client.meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: seen.append(params["Policy"])
    )

    with stubbed("dynamodb" if kind == "dynamodb-table" else "rds") as silent, pytest.raises(UnStubbedResponseError):
        keep(sts, silent, kind, "silo-acme-orders")
    statement, *besides = json.loads(seen[0])["Statement"]
    assert statement["Resource"] == [f"arn:aws:{arn.format(f'{REGION}:{WORKLOAD}')}" for arn in archived]
    assert [action for one in besides for action in one["Action"]] == listed
