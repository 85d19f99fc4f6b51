"""The assembly that a job is handed: read with what CodePipeline lends, where it is, and bounded."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import pytest

from lambdas.common.cloud_assembly import artifacts_in, stacks_of_pipeline
from lambdas.common.errors import GranaryError
from lambdas.saas.store import job_assembly
from lambdas.saas.store.job_assembly import assembly_of

JOB = {
    "inputArtifacts": [
        {"name": "Synth", "location": {"type": "S3", "s3Location": {"bucketName": "b", "objectKey": "silo-acme/x"}}}
    ],
    "artifactCredentials": {"accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t"},
}
PIPELINE = "silo-acme-pipeline"


class Lent:
    """S3, as whoever has these credentials sees it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.made: list[Any] = []
        self.read = 0

    def __call__(self, service: str, **how: Any) -> Lent:
        self.made.append((service, how))
        return self

    def head_object(self, **where: str) -> dict[str, Any]:
        assert where == {"Bucket": "b", "Key": "silo-acme/x"}
        return {"ContentLength": len(self.content)}

    def get_object(self, *, Range: str, **_: str) -> dict[str, Any]:
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        self.read += last - first + 1
        return {"Body": io.BytesIO(self.content[first : last + 1])}


def packed(compression: int = zipfile.ZIP_DEFLATED, /, **files: str | bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


def assembled(template: str, **files: str) -> bytes:
    """An assembly with one stage, whose one stack has a template of this name."""
    stage = {"displayName": f"{PIPELINE}/Deploy", "directoryName": "d"}
    stack = {"type": "aws:cloudformation:stack", "environment": "aws://222222222222/eu-west-1"}
    inner = {"x": {**stack, "properties": {"stackName": "silo-acme-component", "templateFile": template}}}
    outer = {"d": {"type": "cdk:cloud-assembly", "properties": stage}}
    names = {"manifest.json": outer, "d/manifest.json": inner}
    return packed(**{name: json.dumps({"artifacts": one}) for name, one in names.items()}, **files)


def refused(content: bytes, job: dict[str, Any] = JOB) -> str:
    with (
        pytest.raises((GranaryError, KeyError, ValueError)) as error,
        assembly_of(job, region="us-east-1", make_client=Lent(content)) as folder,
    ):
        [stack.content() for stack in stacks_of_pipeline(PIPELINE, folder)]
    return str(error.value)


def test_templates_are_read_where_they_are_and_assets_are_not() -> None:
    files: dict[str, str | bytes] = {
        "asset.1/data.json": bytes(3_000_000),
        "manifest.json": json.dumps({"artifacts": {}}),
    }
    lent = Lent(packed(zipfile.ZIP_STORED, **files))
    with assembly_of(JOB, region="us-east-1", make_client=lent) as folder:
        assert stacks_of_pipeline(PIPELINE, folder) == ()
    assert lent.read < 2_000_000
    credentials = {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t"}
    assert lent.made == [("s3", {"region": "us-east-1", "credentials": credentials})]
    with assembly_of(JOB, region="us-east-1", make_client=Lent(assembled("t", **{"d/t": "{}"}))) as folder:
        (stack,) = stacks_of_pipeline(PIPELINE, folder)
        assert (stack.name, stack.body) == ("silo-acme-component", {})


def test_parts_of_an_object_of_s3_are_read(aws: None) -> None:
    del aws
    s3 = boto3.client("s3", "us-east-1")
    s3.create_bucket(Bucket="artifacts")
    files: dict[str, str | bytes] = {"a": bytes(2_000_000), "manifest.json": json.dumps({"artifacts": {"x": 1}})}
    s3.put_object(Bucket="artifacts", Key="x", Body=packed(zipfile.ZIP_STORED, **files))
    place = {"s3Location": {"bucketName": "artifacts", "objectKey": "x"}}
    job = {**JOB, "inputArtifacts": [{"location": place}]}
    with assembly_of(job, region="us-east-1", make_client=lambda *_, **__: s3) as folder:
        assert artifacts_in(folder) == {"x": 1}
        with pytest.raises(KeyError, match=r"there\.json"):
            (folder / "not" / "there.json").read_bytes()


@pytest.mark.parametrize("name", ["/proc/self/environ", "../../../proc/self/environ", "../manifest.json", "", "."])
def test_a_template_that_is_not_in_the_assembly_is_none(name: str) -> None:
    """A tenant's build must not have the function read its own files: its environment has its credentials."""
    assert "is not in the assembly" in refused(assembled(name))


def test_an_assembly_in_itself_has_no_end_and_is_none() -> None:
    again = {"d": {"type": "cdk:cloud-assembly", "properties": {"displayName": PIPELINE + "/D", "directoryName": "."}}}
    assert "is not in the assembly" in refused(packed(**{"manifest.json": json.dumps({"artifacts": again})}))


def test_what_is_too_large_or_no_assembly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be unpacked" in refused(b"no zip")
    assert "cannot be unpacked" in refused(b"")
    assert "hands on no assembly" in refused(b"", {**JOB, "inputArtifacts": []})
    assert "nested too deeply" in refused(packed(**{"manifest.json": "[" * 200_000}))
    spoilt = bytearray(packed(**{"manifest.json": json.dumps({"artifacts": {}, "x": "y" * 100})}))
    spoilt[45:60] = bytes(15)
    assert "manifest.json cannot be unpacked" in refused(bytes(spoilt))
    bomb = packed(**{"manifest.json": " " * (job_assembly.LARGEST_FILE + 1)})
    assert len(bomb) < 20_000
    assert "manifest.json of the assembly has more than 8,000,000 bytes" in refused(bomb)
    many = assembled("t", **{"d/t": "{}"})
    monkeypatch.setattr(job_assembly, "LARGEST_TEXT", 150)
    assert "have more than 150 bytes" in refused(many)
    monkeypatch.setattr(job_assembly, "LARGEST_DIRECTORY", 10)
    assert "too large to be looked at" in refused(many)
