"""The roles that the stacks with tenants' pipelines are deployed, changed and deleted with."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.common.pipeline_deployment import DeployedPipelines, PipelineDeployment, pipeline_synthesizer
from constructs_lib.saas.tenant_arns import (
    BOUND_BY_NAMES,
    tenant_pipeline_stacks,
    tenant_pipelines,
    tenant_projects,
    tenant_support_stacks,
)
from lambdas.saas.model.names import SaasNames

_FOLDER = "tenants/"


def tenant_synthesizer(names: SaasNames) -> cdk.DefaultStackSynthesizer:
    """How the stack with a tenant's pipeline is deployed."""
    return pipeline_synthesizer(
        deploy_role=names.tenant_deploy_role, execution_role=names.tenant_execution_role, folder=_FOLDER
    )


class TenantDeployment(PipelineDeployment):
    """The role that deploys, and the one that CloudFormation acts with; `deployers` are the ARNs of who may deploy."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: SaasNames, qualifier: str, deployers: Sequence[str]
    ) -> None:
        deployed = DeployedPipelines(
            deploy_role=names.tenant_deploy_role,
            execution_role=names.tenant_execution_role,
            folder=_FOLDER,
            stacks=tenant_pipeline_stacks(),
            former_stacks=tenant_support_stacks(),
            pipelines=tenant_pipelines(),
            projects=tenant_projects(names),
            pipeline_role=names.tenant_pipeline_role,
            build_roles=(names.tenant_synth_role, names.self_mutation_role, names.asset_publishing_role),
        )
        super().__init__(
            scope, construct_id, deployed=deployed, qualifier=qualifier, deployers=deployers, reason=BOUND_BY_NAMES
        )
