"""The cloud assembly that a job of a tenant's pipeline is handed: what its stage is about to deploy.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lambdas.common.clients import client_as
from lambdas.common.errors import GranaryError

# A function has 512 MB of disk, and what a tenant's build has packed may be anything.
LARGEST_ZIP = 300_000_000
LARGEST_TEXT = 100_000_000


@contextmanager
def assembly_of(job: Mapping[str, Any], *, region: str, make_client: Callable[..., Any] = client_as) -> Iterator[Path]:
    """Templates and manifests of the artifact of a job (its `data`), read with what CodePipeline lends for that.

    Raises:
        GranaryError: it has none, or it is too large.
    """
    artifacts = list(job.get("inputArtifacts", []))
    if len(artifacts) != 1:
        raise GranaryError("the pipeline hands on no assembly: release a newer source")
    place = artifacts[0]["location"]["s3Location"]
    lent = {key[0].upper() + key[1:]: value for key, value in job["artifactCredentials"].items()}
    s3 = make_client("s3", region=region, credentials=lent)
    found = s3.get_object(Bucket=place["bucketName"], Key=place["objectKey"])
    if found["ContentLength"] > LARGEST_ZIP:
        raise GranaryError(f"the assembly has {found['ContentLength']:,} bytes, and {LARGEST_ZIP:,} can be looked at")
    with tempfile.TemporaryDirectory() as folder:
        packed, out = Path(folder) / "assembly.zip", Path(folder) / "assembly"
        with packed.open("wb") as file:
            shutil.copyfileobj(found["Body"], file)
        _unpack(packed, out)
        yield out


def _unpack(packed: Path, out: Path) -> None:
    """What of it is JSON, below where it belongs: assets are not needed."""
    try:
        with zipfile.ZipFile(packed) as archive:
            texts = [one for one in archive.infolist() if one.filename.endswith(".json")]
            if sum(one.file_size for one in texts) > LARGEST_TEXT:
                raise GranaryError(f"the templates of the assembly have more than {LARGEST_TEXT:,} bytes")
            # Names that lead elsewhere are cut by the library.
            archive.extractall(out, texts)
    except zipfile.BadZipFile as error:
        raise GranaryError(f"the assembly cannot be unpacked: {error}") from error
