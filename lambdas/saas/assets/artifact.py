"""What is read of the artifact of a job: its lists of assets, with the credentials that CodePipeline gives with it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile, ZipFile

from lambdas.common.clients import client_as
from lambdas.common.errors import GranaryError
from lambdas.common.object_file import ObjectFile
from lambdas.saas.model.assets import Asset, listed

# A zip file's directory is at its end; lists are small. So mostly two or three requests do, whatever the size.
_BUFFER = 512 * 1024


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """The assembly that a pipeline's own synth has made: a zip file in S3."""

    bucket: str
    key: str
    credentials: Mapping[str, str]
    region: str
    make_client: Callable[..., Any] = client_as

    @staticmethod
    def of_job(data: Mapping[str, Any], *, region: str) -> Artifact:
        """Make it of a job's data: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_JobData.html."""
        place, given = data["inputArtifacts"][0]["location"]["s3Location"], data["artifactCredentials"]
        names = {"AccessKeyId": "accessKeyId", "SecretAccessKey": "secretAccessKey", "SessionToken": "sessionToken"}
        return Artifact(
            bucket=place["bucketName"],
            key=place["objectKey"],
            credentials={ours: given[theirs] for ours, theirs in names.items()},
            region=region,
        )

    def assets(self) -> list[Asset]:
        """What is to be published before the stacks are deployed; none of the pipeline's own stack.

        Raises:
            GranaryError: the artifact is no assembly that can be read.
        """
        s3 = self.make_client("s3", region=self.region, credentials=self.credentials)
        try:
            with ZipFile(io.BufferedReader(ObjectFile(s3, bucket=self.bucket, key=self.key), _BUFFER)) as assembly:
                below = [name for name in assembly.namelist() if "/" in name]
                lists = {name: json.loads(assembly.read(name)) for name in below if name.endswith(".assets.json")}
                manifests = {
                    name.rpartition("/")[0]: json.loads(assembly.read(name))
                    for name in below
                    if name.endswith("/manifest.json") and name.rpartition("/")[0] in _folders(lists)
                }
            return listed(lists, manifests)
        except (BadZipFile, ValueError) as error:
            raise GranaryError(f"artifact {self.key} cannot be read: {error}; retry the pipeline's Build") from error


def _folders(paths: Mapping[str, Any]) -> set[str]:
    return {path.rpartition("/")[0] for path in paths}
