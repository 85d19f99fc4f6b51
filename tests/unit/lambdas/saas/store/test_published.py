"""Objects of the releases bucket, read as they were published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.saas.store.published import read_published
from tests.unit.lambdas.saas.fakes import START


@dataclass
class _Body:
    """A body that nobody may have in memory as a whole."""

    chunks: tuple[bytes, ...]

    def iter_chunks(self, _size: int) -> Iterator[bytes]:
        yield from self.chunks


@dataclass
class _S3:
    error: str = ""

    def get_object(self, *, Bucket: str, Key: str, VersionId: str = "the latest") -> dict[str, Any]:
        assert (Bucket, Key) == ("releases", "releases/r/source.zip")
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "GetObject")
        return {"Body": _Body((b"a", b"b")), "Metadata": {"x": "y"}, "LastModified": START, "VersionId": VersionId}


@pytest.mark.parametrize("version", ["", "v1"])
def test_it_is_hashed_piece_by_piece(version: str) -> None:
    found = read_published(_S3(), bucket="releases", key="releases/r/source.zip", version_id=version)
    assert found is not None
    assert found.sha256 == hashlib.sha256(b"ab").hexdigest()
    assert (found.version_id, found.metadata, found.modified) == (version or "the latest", {"x": "y"}, START)


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion", "InvalidArgument", "AccessDenied"])
def test_what_is_not_there_is_none(code: str) -> None:
    assert read_published(_S3(code), bucket="releases", key="releases/r/source.zip") is None
