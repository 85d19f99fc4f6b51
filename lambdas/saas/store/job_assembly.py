"""The cloud assembly that a job of a tenant's pipeline is handed: what its stages are about to deploy.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from zipfile import BadZipFile, ZipFile

from lambdas.common.clients import client_as
from lambdas.common.errors import GranaryError
from lambdas.common.object_file import ObjectFile

# What a tenant's build has packed may be anything, and a function has 512 MB of memory. A template has at most 1 MB.
# The directory of 200,000 files has about 30, and takes five times as much in memory; of short names, ten times.
LARGEST_FILE = 8_000_000
LARGEST_TEXT = 100_000_000
LARGEST_DIRECTORY = 30_000_000
# Of the zip file; with what stands beside what is asked for, as much as the buffer has.
MOST_READ = 1_000_000_000
# A zip file's directory is at its end; lists are small. So mostly two or three requests do, whatever the size.
_BUFFER = 512 * 1024


class Zipped:
    """A folder, or a file, of an assembly that is packed; only what is asked for is read, and nothing is written."""

    def __init__(self, archive: ZipFile, path: str = "", *, read: list[int] | None = None) -> None:
        self._archive, self._path = archive, path
        self._read = read if read is not None else []

    def __truediv__(self, name: str) -> Self:
        return type(self)(self._archive, f"{self._path}/{name}".removeprefix("/"), read=self._read)

    def __str__(self) -> str:
        return self._path

    def read_bytes(self) -> bytes:
        """All of a file.

        Raises:
            KeyError: it is not there.
            ValueError: it cannot be unpacked.
            GranaryError: there is too much to read.
        """
        entry = self._archive.getinfo(self._path)
        self._read.append(entry.file_size)
        if entry.file_size > LARGEST_FILE:
            raise GranaryError(f"{self} of the assembly has more than {LARGEST_FILE:,} bytes")
        if sum(self._read) > LARGEST_TEXT:
            raise GranaryError(f"templates and lists of the assembly have more than {LARGEST_TEXT:,} bytes")
        try:
            return self._archive.read(entry)
        except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise ValueError(f"{self} cannot be unpacked: {error}") from error


def place_of(job: Mapping[str, Any]) -> tuple[str, str]:
    """Bucket and key of the one artifact of a job (its `data`).

    Raises:
        GranaryError: it has none.
    """
    artifacts = list(job.get("inputArtifacts", []))
    if len(artifacts) != 1:
        raise GranaryError("the pipeline hands on no assembly: release a newer source")
    place = artifacts[0]["location"]["s3Location"]
    return place["bucketName"], place["objectKey"]


@contextmanager
def assembly_of(
    job: Mapping[str, Any], *, region: str, make_client: Callable[..., Any] = client_as
) -> Iterator[Zipped]:
    """The artifact of a job (its `data`), read with what CodePipeline lends for that.

    Raises:
        GranaryError: it has none, or it cannot be unpacked.
    """
    bucket, key = place_of(job)
    lent = {name[0].upper() + name[1:]: value for name, value in job["artifactCredentials"].items()}
    s3 = make_client("s3", region=region, credentials=lent)
    file = ObjectFile(s3, bucket=bucket, key=key, most=LARGEST_DIRECTORY)
    try:
        archive = ZipFile(io.BufferedReader(file, _BUFFER))
    except (BadZipFile, ValueError) as error:
        raise GranaryError(f"artifact {key} cannot be unpacked: {error}") from error
    with archive:
        file.left = MOST_READ
        yield Zipped(archive)
