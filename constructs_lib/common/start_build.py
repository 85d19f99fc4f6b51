"""Starting builds as their projects say."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam

# With any of these, who starts a build would run commands of his own as the project's role, or as another one.
# https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html
_NOT_TO_OVERRIDE = (
    "codebuild:source.buildspec",
    "codebuild:secondarySources",
    "codebuild:serviceRole",
    "codebuild:environment.image",
    "codebuild:environment.privilegedMode",
    "codebuild:environment.type",
)
_LOCATION = "codebuild:source.location"


def start_build(project: codebuild.IProject, *, variables: Sequence[str], location: str = "") -> iam.PolicyStatement:
    """Allow starting a project's builds with these variables; its source stays, or is of a `location` (a pattern)."""
    kept = _NOT_TO_OVERRIDE if location else (*_NOT_TO_OVERRIDE, _LOCATION)
    return iam.PolicyStatement(
        actions=["codebuild:StartBuild"],
        resources=[project.project_arn],
        conditions={
            "Null": dict.fromkeys(kept, "true"),
            **({"StringLike": {_LOCATION: location}} if location else {}),
            "ForAllValues:StringEquals": {"codebuild:environment.environmentVariables.name": list(variables)},
        },
    )
