"""A tenant's pipeline in the public sample's design: CDK Pipelines with default settings and cross-account keys.

The stage is ours, so that only what the pipeline itself costs differs. The record is in the context `record`.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import pipelines

from config.loader import load
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.component import ComponentProps, ComponentStage


def main() -> None:
    """Synthesize."""
    app = cdk.App(analytics_reporting=False)
    configuration = load()
    toolchain = configuration.toolchain
    record = DeploymentRecord(**app.node.try_get_context("record"))
    name = pipeline_name(record.type, record.id)
    stack = cdk.Stack(app, name, env=cdk.Environment(account=toolchain.account, region=toolchain.region))
    repository = codecommit.Repository.from_repository_name(stack, "Repository", toolchain.prefix)
    source = pipelines.CodePipelineSource.code_commit(repository, "main", trigger=actions.CodeCommitTrigger.NONE)
    pipeline = pipelines.CodePipeline(
        stack,
        "Pipeline",
        pipeline_name=name,
        cross_account_keys=True,
        synth=pipelines.ShellStep("Synth", input=source, commands=["npm ci", "npx cdk synth"]),
    )
    workloads = configuration.workloads
    component = ComponentProps(
        settings=workloads.component, prefix=toolchain.prefix, qualifier=workloads.bootstrap_qualifier
    )
    pipeline.add_stage(ComponentStage(stack, "Deploy", record=record, component=component))
    app.synth()


main()
