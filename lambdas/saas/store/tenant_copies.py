"""Moving a tenant's pipeline to a release: its copy of the source, and the start of an execution."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of, passes
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.releases import Release, tenant_key


def copy_release(s3: Any, bucket: str, release: Release, *, key: str) -> None:
    """Make a pinned release a tenant's own; the metadata, which names the revision, comes along."""
    source = {"Bucket": bucket, "Key": release.key, "VersionId": release.version_id}
    s3.copy_object(Bucket=bucket, Key=key, CopySource=source)


class PipelineGoneError(GranaryError):
    """There is no such pipeline: somebody has deleted it."""


class TenantPipelines(Protocol):
    """Port to the tenants' pipelines, for releases."""

    def start(self, deployment_type: str, deployment_id: str, *, release: Release, token: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class TenantCopies:
    """The tenants' copies in the releases bucket, and their pipelines in CodePipeline."""

    s3: Any
    codepipeline: Any
    releases_bucket: str

    def start(self, deployment_type: str, deployment_id: str, *, release: Release, token: str) -> str:
        """Give the tenant its copy of a release and start its pipeline; returns the execution's id.

        The same token is the same execution.

        Raises:
            CapacityError: a service is at its limit or in trouble; the same call may pass later.
            PipelineGoneError: there is no pipeline to be started.
            GranaryError: a service refuses it, and will do so again.
        """
        name = pipeline_name(deployment_type, deployment_id)
        try:
            copy_release(self.s3, self.releases_bucket, release, key=tenant_key(deployment_type, deployment_id))
            execution = self.codepipeline.start_pipeline_execution(name=name, clientRequestToken=_request_token(token))
        except ClientError as error:
            said = f"{error.operation_name} was refused: {error.response['Error'].get('Message', '')}"
            if passes(error):
                raise CapacityError(said) from error
            if code_of(error) == "PipelineNotFoundException":
                raise PipelineGoneError(f"its pipeline {name} is gone: {said}") from error
            raise GranaryError(f"release {release.revision} could not be started in {name}: {said}") from error
        execution_id: str = execution["pipelineExecutionId"]
        return execution_id


def _request_token(token: str) -> str:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html: [a-zA-Z0-9-], 128.
    return hashlib.sha256(token.encode()).hexdigest()
