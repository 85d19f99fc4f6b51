"""IAM of PutObject: who may write only what is not there yet overwrites nothing, whichever way he asks."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from constructs_lib.common.left_verdicts import leave_verdicts
from tests.local.local_cloud_fixtures import REGION, Workbench


def test_a_verdict_that_stands_cannot_be_changed(workbench: Workbench) -> None:
    bucket = f"reports-{workbench.account}"
    where = {} if REGION == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    workbench.client("s3").create_bucket(Bucket=bucket, **where)
    may = leave_verdicts(f"arn:aws:s3:::{bucket}/verdicts/payments/*").to_statement_json()
    role = workbench.role("scan", principal={"AWS": workbench.account}, statements=[may])
    s3 = workbench.client("s3", workbench.assume(role))
    verdict = {"Bucket": bucket, "Key": "verdicts/payments/abc/secrets/1.json"}
    s3.put_object(**verdict, Body=b"FAIL", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**verdict, Body=b"PASS", IfNoneMatch="*")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(**verdict, Body=b"PASS")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(**{**verdict, "Key": "verdicts/orders/abc/secrets/1.json"}, Body=b"PASS", IfNoneMatch="*")
    kept = workbench.client("s3").get_object(**verdict)["Body"].read()
    assert kept == b"FAIL"
