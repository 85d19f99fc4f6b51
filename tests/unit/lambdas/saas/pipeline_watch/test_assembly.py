"""The assembly that a job is handed: read with what CodePipeline lends, and bounded."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from lambdas.common.errors import GranaryError
from lambdas.saas.pipeline_watch import assembly
from lambdas.saas.pipeline_watch.assembly import assembly_of

JOB = {
    "inputArtifacts": [
        {"name": "Synth", "location": {"type": "S3", "s3Location": {"bucketName": "b", "objectKey": "silo-acme/x"}}}
    ],
    "artifactCredentials": {"accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t"},
}


class Lent:
    """S3, as whoever has these credentials sees it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[Any] = []

    def __call__(self, service: str, **how: Any) -> Lent:
        self.asked.append((service, how))
        return self

    def get_object(self, **what: str) -> dict[str, Any]:
        self.asked.append(what)
        return {"Body": io.BytesIO(self.content), "ContentLength": len(self.content)}


def packed(**files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


def test_templates_and_manifests_are_unpacked_where_they_belong() -> None:
    lent = Lent(packed(**{"manifest.json": "{}", "assembly-a/s.json": "1", "asset.1/code.py": "x", "../out.json": "2"}))
    with assembly_of(JOB, region="us-east-1", make_client=lent) as folder:
        assert sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()) == [
            "assembly-a/s.json",
            "manifest.json",
            "out.json",
        ]
    assert not folder.exists()
    credentials = {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t"}
    assert lent.asked == [
        ("s3", {"region": "us-east-1", "credentials": credentials}),
        {"Bucket": "b", "Key": "silo-acme/x"},
    ]


def test_what_is_too_large_or_no_assembly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(content: bytes, job: dict[str, Any] = JOB) -> str:
        with pytest.raises(GranaryError) as error, assembly_of(job, region="us-east-1", make_client=Lent(content)):
            pass
        return str(error.value)

    assert "cannot be unpacked" in refused(b"no zip")
    assert "hands on no assembly" in refused(b"", {**JOB, "inputArtifacts": []})
    monkeypatch.setattr(assembly, "LARGEST_TEXT", 10)
    assert "have more than 10 bytes" in refused(packed(**{"manifest.json": "x" * 11}))
    monkeypatch.setattr(assembly, "LARGEST_ZIP", 10)
    assert "and 10 can be looked at" in refused(packed(**{"manifest.json": "{}"}))
