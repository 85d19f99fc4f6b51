"""The tables of the factory: what people wish for, what was observed, and its releases."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.common.kept_table import kept_table
from lambdas.saas.model.names import SaasNames


class DeploymentTables(Construct):
    """`<prefix>-deployments`, which people write, `-deployment-status` and `-releases`, which the factory writes."""

    def __init__(self, scope: Construct, construct_id: str, *, names: SaasNames, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.deployments = kept_table(self, "Deployments", name=names.deployments_table, key=key)
        self.statuses = kept_table(self, "Statuses", name=names.status_table, key=key, ttl="expires_at")
        self.releases = kept_table(self, "Releases", name=names.releases_table, key=key)
