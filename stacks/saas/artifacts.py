"""The artifact store of a Region other than the toolchain's own."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.common.artifact_store import ArtifactStore
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.tenant_arns import TENANT_ARTIFACTS
from lambdas.saas.model.names import SaasNames


class ArtifactsStack(cdk.Stack):
    """`<prefix>-artifacts-<region>`, in the toolchain account, for pipelines that deploy to that Region."""

    def __init__(
        self,
        scope: Construct,
        *,
        env: cdk.Environment,
        names: SaasNames,
        targets: WorkloadTargets,
        for_rooms: str = "",
    ) -> None:
        assert env.region  # noqa: S101 - the configuration always names it
        name = names.artifacts_stack(env.region)
        super().__init__(scope, name, stack_name=name, env=env)
        self.store = ArtifactStore(
            self, "Store", names=names, targets=targets, prefixes=TENANT_ARTIFACTS, for_rooms=for_rooms
        )
        self.store.admit_role(names.tenant_pipeline_role)
