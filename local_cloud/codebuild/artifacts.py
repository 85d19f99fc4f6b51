"""Uploads a build's artifacts, with the credentials of its service role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from string import Template
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codebuild import archives, record
from local_cloud.codebuild.buildspec import ArtifactSpec, Buildspec
from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.job import Job
from local_cloud.codebuild.pipeline_builds import PipelineBuild


def upload(job: Job, spec: Buildspec, variables: Mapping[str, str]) -> None:
    """Everything that the project or the pipeline wants from this build; raises BuildFailure."""
    if job.pipeline is not None:
        _upload_to_pipeline(job, job.pipeline, spec)
        return
    primary = job.project["artifacts"]
    if primary["type"] == "S3":
        location = _upload_to_s3(job, primary, _required(spec.artifacts, "artifacts"), variables)
        record.update(job.build, {"artifacts": {**job.build["artifacts"], "location": location}})
    for artifact in job.project.get("secondaryArtifacts") or []:
        name = artifact["artifactIdentifier"]
        _upload_to_s3(job, artifact, _required(spec.secondary_artifacts.get(name), name), variables)


def _upload_to_pipeline(job: Job, pipeline: PipelineBuild, spec: Buildspec) -> None:
    encryption = _encryption(pipeline.kms_key_id)
    for name, (bucket, key) in pipeline.artifacts.items():
        only = spec.artifacts if len(pipeline.artifacts) == 1 else None
        wanted = _required(spec.secondary_artifacts.get(name) or only, name)
        content = archives.pack(archives.select(wanted, job.source_dir))
        _put(job, bucket=bucket, key=key, content=content, options=encryption)


def _upload_to_s3(job: Job, artifact: Mapping[str, Any], spec: ArtifactSpec, variables: Mapping[str, str]) -> str:
    """The ARN of what was uploaded: a zip file, or the folder of the files."""
    files = archives.select(spec, job.source_dir)
    bucket, key = str(artifact["location"]), _key(job, artifact, spec, variables)
    key_id = job.build["encryptionKey"]
    customer_key = None if artifact.get("encryptionDisabled") or key_id.endswith("alias/aws/s3") else key_id
    options = _encryption(customer_key)
    if artifact.get("packaging") == "ZIP":
        _put(job, bucket=bucket, key=key, content=archives.pack(files), options=options)
    else:
        for name, path in files.items():
            _put(job, bucket=bucket, key=f"{key}/{name}", content=path.read_bytes(), options=options)
    return f"arn:aws:s3:::{bucket}/{key}"


def _key(job: Job, artifact: Mapping[str, Any], spec: ArtifactSpec, variables: Mapping[str, str]) -> str:
    name = artifact.get("name") or job.build["projectName"]
    if artifact.get("overrideArtifactName") and spec.name:
        name = Template(spec.name).safe_substitute(variables)
    namespace = job.build["id"].split(":", 1)[1] if artifact.get("namespaceType") == "BUILD_ID" else ""
    return str(PurePosixPath(str(artifact.get("path") or "").strip("/"), namespace, name))


def _required(spec: ArtifactSpec | None, name: str) -> ArtifactSpec:
    if spec is None:
        raise BuildFailure(
            "CLIENT_ERROR",
            f"The buildspec names no files for the artifact {name!r}: add it under "
            "artifacts, or artifacts/secondary-artifacts when there are several.",
        )
    return spec


def _encryption(key_id: str | None) -> dict[str, str]:
    if key_id is None or key_id.endswith("alias/aws/codebuild"):
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id}


def _put(job: Job, *, bucket: str, key: str, content: bytes, options: Mapping[str, str]) -> None:
    try:
        job.client("s3").put_object(Bucket=bucket, Key=key, Body=content, **options)
    except ClientError as error:
        raise BuildFailure("CLIENT_ERROR", f"Error in UPLOAD_ARTIFACTS phase: s3://{bucket}/{key}: {error}") from error
