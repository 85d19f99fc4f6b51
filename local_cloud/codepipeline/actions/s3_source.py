"""Source/S3: takes a version of an object as the artifact.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codepipeline.actions.context import Context, Outcome, bucket_url
from local_cloud.codepipeline.errors import ActionFailed, configuration_error
from local_cloud.codepipeline.executions import S3Location, SourceRevision

REQUIRED = frozenset({"S3Bucket", "S3ObjectKey"})


def run(context: Context) -> Outcome:
    """Copy the wanted version (default: the newest) into the artifact store."""
    bucket, override = context.setting("S3Bucket"), context.execution.overrides.get(context.action.name, {})
    key = _object_key(context, override.get("S3_OBJECT_KEY"))
    version = override.get("S3_OBJECT_VERSION_ID")
    found = _get(context, bucket=bucket, key=key, version=version)
    version_id = found.get("VersionId")
    if not version_id or version_id == "null":
        raise configuration_error(f"Bucket {bucket} is not versioned: an S3 source needs a versioned bucket")
    artifact = context.action.outputs[0]
    context.write(artifact=artifact, body=found["Body"].read())
    url = bucket_url(S3Location(bucket=bucket, key=key))
    context.describe(external_id=version_id, url=url)
    etag = found["ETag"].strip('"')
    return Outcome(
        variables={"BucketName": bucket, "ETag": etag, "ObjectKey": key, "VersionId": version_id},
        revision=SourceRevision(
            action=context.action.name,
            artifact=artifact,
            revision_id=version_id,
            summary=found.get("Metadata", {}).get("codepipeline-artifact-revision-summary")
            or f"Amazon S3 version id: {version_id}",
            url=url,
        ),
        written=frozenset({artifact}),
    )


def _object_key(context: Context, override: str | None) -> str:
    if override is None:
        return context.setting("S3ObjectKey")
    if context.optional("AllowOverrideForS3ObjectKey").lower() != "true":
        raise configuration_error(
            f"Action {context.action.name} does not allow S3_OBJECT_KEY: set AllowOverrideForS3ObjectKey to true"
        )
    return override


def _get(context: Context, *, bucket: str, key: str, version: str | None) -> dict[str, Any]:
    which = {"VersionId": version} if version else {}
    try:
        answer: dict[str, Any] = context.client("s3").get_object(Bucket=bucket, Key=key, **which)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        kind = "PermissionError" if code == "AccessDenied" else "ConfigurationError"
        wanted = f"{bucket}/{key}" + (f" version {version}" if version else "")
        raise ActionFailed(kind, f"The object {wanted} cannot be read: {error}") from error
    return answer
