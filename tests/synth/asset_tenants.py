"""Tenants whose stages have assets, which brings a stage that publishes them into their pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_ssm as ssm

from constructs_lib.common.targets import workload_synthesizer
from constructs_lib.saas.tenant_deployment import tenant_synthesizer
from constructs_lib.saas.tenant_pipeline import SharedToolchain, TenantPipeline
from lambdas.saas.model.names import SaasNames, component_stack_name, pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from stacks.buildspecs import commands_of
from stacks.versions import cdk_cli
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS

FILES = DeploymentRecord(id="files", type="silo", account=WORKLOAD_ACCOUNTS[0], region="eu-west-1")
IMAGES = DeploymentRecord(id="images", type="pool", account=WORKLOAD_ACCOUNTS[0], region="us-east-1")


def build_asset_tenants(app: cdk.App, scratch: Path, *, artifact_keys: Mapping[str, str]) -> None:
    """Add two tenants' pipelines: one with two files to publish, one with an image."""
    shared = SharedToolchain(
        names=SaasNames(prefix="granary"),
        artifact_keys=artifact_keys,
        cli_version=cdk_cli(),
    )
    _add_tenant(app, shared, FILES, lambda stack: _files(stack, scratch))
    _add_tenant(app, shared, IMAGES, lambda stack: _image(stack, scratch))


def _add_tenant(
    app: cdk.App, shared: SharedToolchain, record: DeploymentRecord, fill: Callable[[cdk.Stack], None]
) -> None:
    name = pipeline_name(record.type, record.id)
    env = cdk.Environment(account=TOOLCHAIN_ACCOUNT, region="us-east-1")
    stack = cdk.Stack(app, name, stack_name=name, env=env, synthesizer=tenant_synthesizer(shared.names))
    tenant = TenantPipeline(stack, "Tenant", record=record, shared=shared, synth=commands_of("saas", "tenant_synth"))
    stage = cdk.Stage(stack, "Deploy", env=cdk.Environment(account=record.account, region=record.region))
    name = component_stack_name(record.type, record.id)
    fill(cdk.Stack(stage, "Component", stack_name=name, synthesizer=workload_synthesizer("granary")))
    tenant.pipeline.add_stage(stage)
    tenant.finish()


def _files(stack: cdk.Stack, scratch: Path) -> None:
    for number in range(2):
        file = scratch / f"asset-{number}.txt"
        file.write_text(f"asset {number}", encoding="utf-8")
        asset = s3_assets.Asset(stack, f"Asset{number}", path=str(file))
        ssm.StringParameter(stack, f"Key{number}", string_value=asset.s3_object_key)


def _image(stack: cdk.Stack, scratch: Path) -> None:
    directory = scratch / "image"
    directory.mkdir()
    (directory / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    asset = ecr_assets.DockerImageAsset(stack, "Image", directory=str(directory))
    ssm.StringParameter(stack, "Uri", string_value=asset.image_uri)
