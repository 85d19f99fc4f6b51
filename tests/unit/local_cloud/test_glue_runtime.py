"""What a job finds beside it: its arguments as AWS's library reads them, and `s3://` for Spark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local_cloud.glue.runtime import s3_for_spark as subject
from local_cloud.glue.runtime.awsglue.utils import GlueArgumentError, getResolvedOptions

_BUCKET = "data"


class Writer:
    """As Spark's, of one file and the mark that all is written."""

    def mode(self, _mode: str | None) -> Writer:
        return self

    def parquet(self, path: str, _mode: str | None = None) -> None:
        for name in ("day=1/new.parquet", "_SUCCESS", "day=1/.new.parquet.crc"):
            Path(path, name).parent.mkdir(parents=True, exist_ok=True)
            Path(path, name).write_text(name)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket in which `out` has a file already."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=_BUCKET)
        client.put_object(Bucket=_BUCKET, Key="out/old.parquet", Body=b"old")
        monkeypatch.setattr(subject, "_s3", lambda: client)
        yield client


def _keys(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=_BUCKET, Prefix="out/")["Contents"]]


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        ("overwrite", ["out/_SUCCESS", "out/day=1/new.parquet"]),
        ("append", ["out/_SUCCESS", "out/day=1/new.parquet", "out/old.parquet"]),
        ("ignore", ["out/old.parquet"]),
    ],
)
@pytest.mark.parametrize("said_before", [True, False])
def test_a_write_leaves_what_its_mode_says(s3: Any, mode: str, kept: list[str], *, said_before: bool) -> None:
    writer = Writer()
    if said_before:
        subject._remembering(Writer.mode)(writer, mode)
    subject._writing(Writer.parquet)(writer, f"s3://{_BUCKET}/out", *([] if said_before else [mode]))
    assert _keys(s3) == kept


def test_a_write_over_something_is_refused_unless_its_mode_says_otherwise(s3: Any) -> None:
    with pytest.raises(FileExistsError, match="PATH_ALREADY_EXISTS"):
        subject._writing(Writer.parquet)(Writer(), f"s3://{_BUCKET}/out/")
    assert _keys(s3) == ["out/old.parquet"]


def test_a_read_takes_what_is_below_the_address_and_nothing_beside_it(s3: Any) -> None:
    for key in ("in/day=1/a.csv", "in/day=2/b.csv", "input.csv"):
        s3.put_object(Bucket=_BUCKET, Key=key, Body=key.encode())
    staged = Path(subject._staged(f"s3://{_BUCKET}/in/"))
    assert {str(file.relative_to(staged)) for file in staged.rglob("*.csv")} == {"day=1/a.csv", "day=2/b.csv"}
    (one,) = subject._staged([f"s3://{_BUCKET}/in/day=1/a.csv"])
    assert Path(one).read_text() == "in/day=1/a.csv"
    with pytest.raises(FileNotFoundError, match="Path does not exist"):
        subject._staged(f"s3://{_BUCKET}/inp")
    with pytest.raises(NotImplementedError, match="no patterns"):
        subject._staged(f"s3://{_BUCKET}/in/*")


def test_a_key_that_leads_out_of_its_folder_is_not_read(s3: Any) -> None:
    s3.put_object(Bucket=_BUCKET, Key="in/../../../escaped.csv", Body=b"")
    with pytest.raises(NotImplementedError, match=r"'\.\.'"):
        subject._staged(f"s3://{_BUCKET}/in")


def test_arguments_are_those_that_were_asked_for_and_glues_own() -> None:
    given = ["script.py", "--JOB_RUN_ID", "jr_1", "--bucket", "data", "--enable-metrics", "true"]
    options = getResolvedOptions(given, ["bucket"])
    assert (options["bucket"], options["JOB_RUN_ID"]) == ("data", "jr_1")
    assert "enable_metrics" not in options
    with pytest.raises(GlueArgumentError, match="--key"):
        getResolvedOptions(given, ["bucket", "key"])
    with pytest.raises(RuntimeError, match="reserved"):
        getResolvedOptions(given, ["JOB_RUN_ID"])
