"""Whose credentials an action uses: the pipeline's role, or the action's own role assumed with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codepipeline.definition import Action
from local_cloud.codepipeline.errors import ActionFailed
from local_cloud.codepipeline.executions import Execution
from local_cloud.codepipeline.store import Pipeline
from local_cloud.server import clients, credentials

SERVICE_PRINCIPAL = "codepipeline.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Credentials, and the account that they belong to."""

    account: str
    credentials: Mapping[str, str]

    def client(self, service: str, *, region: str) -> Any:
        """A boto3 client that acts as this identity."""
        return clients.client(service, account=self.account, region=region, credentials=self.credentials)


def pipeline_identity(*, pipeline: Pipeline, execution: Execution) -> Identity:
    """Assume the pipeline's role as the service; a trust policy that refuses fails the action."""
    role_arn = execution.definition.role_arn
    try:
        assumed = credentials.assume_service_role(
            role_arn,
            SERVICE_PRINCIPAL,
            execution.id.replace("-", ""),
            source_arn=pipeline.arn,
            source_account=pipeline.account,
        )
    except PermissionError as error:
        raise ActionFailed("PermissionError", f"CodePipeline cannot assume {role_arn}: {error}") from error
    return Identity(account=role_arn.split(":")[4], credentials=assumed)


def action_identity(*, base: Identity, action: Action, execution: Execution) -> Identity:
    """The action's own role, assumed by the pipeline's role; without one, the pipeline's role itself."""
    if action.role_arn is None:
        return base
    sts = base.client("sts", region=action.region)
    try:
        answer = sts.assume_role(RoleArn=action.role_arn, RoleSessionName=execution.id.replace("-", ""))
    except ClientError as error:
        raise ActionFailed(
            "PermissionError", f"The pipeline's role cannot assume {action.role_arn}: {error}"
        ) from error
    return Identity(account=action.role_arn.split(":")[4], credentials=answer["Credentials"])
