"""The log groups that a tenant's builds had of their own, before all tenants shared one: no stack deletes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.saas.lifecycle.refusals import refusals_told
from lambdas.saas.model.names import TENANT_JOBS, SaasNames


@dataclass(frozen=True, kw_only=True)
class BuildLogGroups:
    """Log groups in CloudWatch Logs, in the account and Region of the pipelines."""

    client: Any
    names: SaasNames

    def remove(self, deployment_type: str, deployment_id: str) -> None:
        """Delete the groups of a tenant's builds; not every tenant has all of them.

        Raises:
            GranaryError: a deletion is refused.
        """
        for job in TENANT_JOBS:
            group = f"/aws/codebuild/{self.names.tenant_project(deployment_type, deployment_id, job)}"
            with refusals_told(f"log group {group} cannot be deleted"), ignoring("ResourceNotFoundException"):
                self.client.delete_log_group(logGroupName=group)
