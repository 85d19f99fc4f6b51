"""Starting builds as their projects say."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam

# All that CodeBuild has a key for, but what is bounded below. With some of these, who starts a build would run commands
# of his own as the project's role, or as another one; with others hide its log, or run it on another machine.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
_NOT_TO_OVERRIDE = (
    "codebuild:artifacts",
    "codebuild:autoRetryLimit",
    "codebuild:cache",
    "codebuild:encryptionKey",
    "codebuild:environment.certificate",
    "codebuild:environment.computeType",
    "codebuild:environment.fleet.fleetArn",
    "codebuild:environment.image",
    "codebuild:environment.imagePullCredentialsType",
    "codebuild:environment.privilegedMode",
    "codebuild:environment.registryCredential",
    "codebuild:environment.type",
    "codebuild:logsConfig",
    "codebuild:secondaryArtifacts",
    "codebuild:secondarySources",
    "codebuild:serviceRole",
    "codebuild:source.buildspec",
)
_LOCATION = "codebuild:source.location"


def start_build(project: codebuild.IProject, *, variables: Sequence[str], location: str = "") -> iam.PolicyStatement:
    """Allow starting a project's builds with these variables; its source stays, or is of a `location` (a pattern)."""
    return start_builds(project.project_arn, variables=variables, location=location)


def start_builds(
    projects: str, *, variables: Sequence[str], location: str | Sequence[str] = "", also: Sequence[str] = ()
) -> iam.PolicyStatement:
    """The same of all projects of a pattern; `also` are further keys of CodeBuild's that may be overridden."""
    kept = [one for one in _NOT_TO_OVERRIDE if one not in also] + ([] if location else [_LOCATION])
    return iam.PolicyStatement(
        actions=["codebuild:StartBuild"],
        resources=[projects],
        conditions={
            "Null": dict.fromkeys(kept, "true"),
            **(
                {"StringLike": {_LOCATION: location if isinstance(location, str) else list(location)}}
                if location
                else {}
            ),
            "ForAllValues:StringEquals": {"codebuild:environment.environmentVariables.name": list(variables)},
        },
    )
