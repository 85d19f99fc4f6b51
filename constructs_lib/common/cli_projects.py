"""Having the projects that CDK Pipelines makes run the pinned CDK CLI."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import pipelines
from constructs import IConstruct

from constructs_lib.common.builds import add_variables

# The library's projects that publish assets, and the jobs that their names end with.
_ASSET_JOBS = {"FileAsset": "assets", "DockerAsset": "image-assets"}
# Not the pipeline's own stack, which `/**` would match too: its assets are for who deploys it.
PUBLISH = 'cdk --app . publish-assets --unstable=publish-assets "$PIPELINE_STACK/*" "$PIPELINE_STACK/*/**"'


def cfn_project(project: IConstruct, *, name: str) -> codebuild.CfnProject:
    """A project of the library's under a name, by which the shared roles' policies know it."""
    cfn = project.node.default_child
    assert isinstance(cfn, codebuild.CfnProject)  # noqa: S101 - what an L2 Project always holds
    cfn.name = name
    return cfn


def install_cli(version: str) -> str:
    """The command that installs the pinned CDK CLI."""
    return f"npm install -g aws-cdk@{version}"


def cli_buildspec(*commands: str) -> dict[str, Any]:
    """What a build has that runs these commands of the CLI and npm."""
    phases = {"install": {"runtime-versions": {"nodejs": "22"}}, "build": {"commands": list(commands)}}
    return {"version": "0.2", "phases": phases}


def run_commands(project: codebuild.CfnProject, *commands: str, stack: str) -> None:
    """Have a project run other commands than the library's.

    A stack's name may be made of a row's values: it comes as the variable PIPELINE_STACK, so that no shell parses it.
    """
    project.add_property_override("Source.BuildSpec", json.dumps(cli_buildspec(*commands), indent=2))
    add_variables(project, {"PIPELINE_STACK": stack})


def publish_assets_with_cli(
    pipeline: pipelines.CodePipeline,
    *,
    stack: str,
    cli_version: str,
    name: Callable[[str], str],
    after: IConstruct | None = None,
) -> None:
    """Have the assets of the stacks below `stack` (a path) published by the CLI; `name` gives a job's project its name.

    `after` is what the projects know by name only, and need.

    The library would use cdk-assets, whose newest version (4.7.3) reads assemblies up to schema 54, and this one is of
    schema 55. The CLI publishes files and images alike, so each project may meet both.
    """
    assets = pipeline.node.try_find_child("Assets")
    projects = {child.node.id: child for child in assets.node.children} if assets else {}
    for library_name, job in _ASSET_JOBS.items():
        if project := projects.get(library_name):
            cfn = cfn_project(project, name=name(job))
            run_commands(cfn, install_cli(cli_version), PUBLISH, stack=stack)
            cfn.add_property_override("Environment.PrivilegedMode", "DockerAsset" in projects)
            if after:
                project.node.add_dependency(after)
