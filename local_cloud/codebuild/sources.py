"""Brings a build's sources into its directory, with the credentials of its service role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codebuild import archives, clones, record
from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.job import Job
from local_cloud.codebuild.pipeline_builds import PipelineBuild

_DEFAULT_BUILDSPEC = "buildspec.yml"


def download(job: Job) -> None:
    """All sources, the primary one into CODEBUILD_SRC_DIR; raises BuildFailure."""
    job.source_dir.mkdir(parents=True, exist_ok=True)
    if job.pipeline is not None:
        _download_pipeline_sources(job, job.pipeline)
        return
    version = _download_s3(job, job.build["source"], job.build["sourceVersion"], job.source_dir)
    if version:
        record.update(job.build, {"resolvedSourceVersion": version})
    versions = {item["sourceIdentifier"]: item["sourceVersion"] for item in job.build["secondarySourceVersions"]}
    for source in job.build["secondarySources"]:
        name = source["sourceIdentifier"]
        version, target = versions.get(name, ""), job.secondary_source_dir(name)
        if source["type"] == "CODECOMMIT":
            clones.clone_repository(job, str(source["location"]), version, target)
        else:
            _download_s3(job, source, version, target)


def read_buildspec(job: Job) -> str:
    """The buildspec's text: inline, or a file of the primary source (buildspec.yml when none is named)."""
    given = str(job.build["source"].get("buildspec") or "")
    if "\n" in given.strip() or given.lstrip().startswith("{") or given.startswith("version:"):
        return given
    path = (job.source_dir / (given or _DEFAULT_BUILDSPEC)).resolve()
    if not path.is_relative_to(job.source_dir.resolve()) or not path.is_file():
        raise BuildFailure("YAML_FILE_ERROR", f"stat {path}: no such file or directory")
    return path.read_text()


def _download_pipeline_sources(job: Job, pipeline: PipelineBuild) -> None:
    for name, (bucket, key) in pipeline.sources.items():
        target = job.source_dir if name == pipeline.primary else job.secondary_source_dir(name)
        content, _ = _get(job, bucket=bucket, key=key, version="")
        if clones.is_reference(content):
            clones.clone_reference(job, content, target)
        else:
            archives.unpack(content, target)
    if pipeline.resolved_version:
        record.update(job.build, {"resolvedSourceVersion": pipeline.resolved_version})


def _download_s3(job: Job, source: Mapping[str, Any], version: str, target: Path) -> str:
    """The S3 version id that was downloaded; nothing for a build without source."""
    if source["type"] != "S3":
        return ""
    bucket, _, key = str(source["location"]).removeprefix("arn:aws:s3:::").partition("/")
    if key.endswith("/"):
        _download_folder(job, bucket=bucket, prefix=key, target=target)
        return ""
    content, resolved = _get(job, bucket=bucket, key=key, version=version)
    archives.unpack(content, target)
    return resolved


def _download_folder(job: Job, *, bucket: str, prefix: str, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    try:
        pages = job.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    except ClientError as error:
        raise BuildFailure("CLIENT_ERROR", f"{error} for primary source") from error
    for key in keys:
        path = target / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_get(job, bucket=bucket, key=key, version="")[0])


def _get(job: Job, *, bucket: str, key: str, version: str) -> tuple[bytes, str]:
    try:
        given = {"VersionId": version} if version else {}
        answer = job.client("s3").get_object(Bucket=bucket, Key=key, **given)
    except ClientError as error:
        raise BuildFailure("CLIENT_ERROR", f"{error} for source s3://{bucket}/{key}") from error
    resolved = answer.get("VersionId") or ""
    return answer["Body"].read(), "" if resolved == "null" else resolved
