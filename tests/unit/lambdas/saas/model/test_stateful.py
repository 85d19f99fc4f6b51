"""Which buckets outlive their stack."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.saas.model.stateful import retains_bucket

FILES = "silo-acme-files"
SUB = {"Fn::Sub": "silo-acme-files-${AWS::AccountId}"}


def bucket(policy: str | None, name: Any = FILES) -> dict[str, Any]:
    known: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    if policy:
        known["DeletionPolicy"] = policy
    return {**known, "Properties": {"BucketName": name}} if name else known


@pytest.mark.parametrize(
    ("resources", "name", "retained"),
    [
        ({"Files": bucket("Retain")}, FILES, True),
        ({"Files": bucket("RetainExceptOnCreate")}, FILES, True),
        ({"Files": bucket("Snapshot")}, FILES, False),
        ({"Files": bucket("Delete")}, FILES, False),
        ({"Files": bucket(None)}, FILES, False),
        ({}, FILES, False),
        ({"Files": bucket("Retain", "another")}, FILES, False),
        ({"Files": {**bucket("Retain"), "Type": "AWS::S3Express::DirectoryBucket"}}, FILES, False),
        # Of one bucket the name is known: the others do not matter.
        ({"Files": bucket("Retain"), "Cache": bucket("Delete", None)}, FILES, True),
        ({"Files": bucket("Delete"), "Cache": bucket("Retain", None)}, FILES, False),
        # The name is made when it is deployed: whichever may be the one must be retained.
        ({"Files": bucket("Retain", SUB), "Cache": bucket("Delete", "silo-acme-cache")}, FILES, True),
        ({"Files": bucket("Retain", SUB), "Cache": bucket("Delete", None)}, FILES, False),
        ({"Files": bucket("Retain", SUB)}, SUB, True),
        ({"Files": bucket("Retain", SUB), "Cache": bucket("Delete", None)}, SUB, True),
        ({"Files": bucket("Retain", None), "Cache": bucket("Delete", None)}, {"Ref": "Files"}, True),
        ({"Files": bucket("Delete", None), "Cache": bucket("Retain", None)}, {"Ref": "Files"}, False),
        ({"Files": bucket("Delete")}, {"Fn::ImportValue": "files"}, False),
    ],
)
def test_each_case(resources: dict[str, Any], name: Any, retained: bool) -> None:
    assert retains_bucket({"Resources": resources}, name) is retained
