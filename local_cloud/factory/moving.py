"""Moving one deployment on to the current release."""

from __future__ import annotations

from lambdas.common.releases import Release, ReleaseParameter, tenant_key
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, Row


def current_release(granary: Granary) -> Release:
    """The release that CI/CD published last; raises NotReleasedError when it has published none."""
    return ReleaseParameter(client=granary.client("ssm"), name=NAMES.release_parameter).current()


def move_on(granary: Granary, row: Row) -> str:
    """Give a deployment its copy of the current release and start its pipeline; returns the execution's id."""
    release = current_release(granary)
    bucket = NAMES.releases_bucket(TOOLCHAIN, HOME)
    granary.client("s3").copy_object(
        Bucket=bucket,
        Key=tenant_key(row.type, row.id),
        CopySource={"Bucket": bucket, "Key": release.key, "VersionId": release.version_id},
    )
    started: str = granary.client("codepipeline").start_pipeline_execution(name=row.pipeline)["pipelineExecutionId"]
    return started
