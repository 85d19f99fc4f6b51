"""Which action types there are, and what each one needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_cloud.codepipeline.actions import (
    approval,
    cloudformation,
    codebuild,
    codecommit_source,
    lambda_invoke,
    s3_source,
    step_functions,
)
from local_cloud.codepipeline.actions.context import Context, Outcome


@dataclass(frozen=True, kw_only=True)
class Executor:
    """How to run an action type, and the artifact counts and settings that it accepts.

    ``check`` raises ActionFailed for a configuration that cannot be executed, when the pipeline is created.
    """

    run: Callable[[Context], Outcome]
    required: frozenset[str]
    inputs: range
    outputs: range
    check: Callable[[Mapping[str, str]], None] = lambda _configuration: None


# Artifact counts: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
_BUILD = Executor(
    run=codebuild.run, required=codebuild.REQUIRED, inputs=range(1, 6), outputs=range(6), check=codebuild.check
)
EXECUTORS: Mapping[str, Executor] = {
    "Source/AWS/S3/1": Executor(run=s3_source.run, required=s3_source.REQUIRED, inputs=range(1), outputs=range(1, 2)),
    "Source/AWS/CodeCommit/1": Executor(
        run=codecommit_source.run,
        required=codecommit_source.REQUIRED,
        inputs=range(1),
        outputs=range(1, 2),
        check=codecommit_source.check,
    ),
    "Build/AWS/CodeBuild/1": _BUILD,
    "Test/AWS/CodeBuild/1": _BUILD,
    "Deploy/AWS/CloudFormation/1": Executor(
        run=cloudformation.run,
        required=cloudformation.REQUIRED,
        inputs=range(11),
        outputs=range(2),
        check=cloudformation.check,
    ),
    "Approval/AWS/Manual/1": Executor(run=approval.run, required=approval.REQUIRED, inputs=range(1), outputs=range(1)),
    "Invoke/AWS/Lambda/1": Executor(
        run=lambda_invoke.run, required=lambda_invoke.REQUIRED, inputs=range(6), outputs=range(6)
    ),
    "Invoke/AWS/StepFunctions/1": Executor(
        run=step_functions.run, required=step_functions.REQUIRED, inputs=range(2), outputs=range(1)
    ),
}
