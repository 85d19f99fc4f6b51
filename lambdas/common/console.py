"""Links into the AWS console; each is empty in a partition whose console has no known address."""

from __future__ import annotations

from urllib.parse import quote

from lambdas.common.partitions import partition_of

# The isolated partitions have no public address.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-eusc": "console.amazonaws-eusc.eu",
}


# arn:PARTITION:states:REGION:ACCOUNT:execution:MACHINE:NAME
_EXECUTION_PARTS = 8


def execution_url(*, pipeline: str, execution_id: str, region: str) -> str:
    """Link to a pipeline's execution."""
    return _url(
        f"codesuite/codepipeline/pipelines/{pipeline}/executions/{execution_id}/timeline?region={region}", region
    )


def build_url(build_id: str, *, region: str) -> str:
    """Link to a build; empty when the id is none of CodeBuild's, which are `<project>:<uuid>`."""
    project, _, uuid = build_id.partition(":")
    if not project or not uuid:
        return ""
    build = quote(build_id, safe="")
    return _url(f"codesuite/codebuild/projects/{quote(project, safe='')}/build/{build}/?region={region}", region)


def machine_execution_url(arn: str) -> str:
    """Link to a state machine's execution; empty when the ARN is not an execution's."""
    parts = arn.split(":")
    if len(parts) != _EXECUTION_PARTS or (parts[2], parts[5]) != ("states", "execution"):
        return ""
    return _url(f"states/home?region={parts[3]}#/v2/executions/details/{quote(arn, safe=':')}", parts[3])


def _url(path: str, region: str) -> str:
    console = _CONSOLES.get(partition_of(region))
    return f"https://{console}/{path}" if console else ""
