"""Links into the AWS console."""

from __future__ import annotations

from lambdas.common.partitions import partition_of

# The isolated partitions have no public address.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-eusc": "console.amazonaws-eusc.eu",
}


def execution_url(*, pipeline: str, execution_id: str, region: str) -> str:
    """Link to a pipeline's execution; empty in a partition whose console has no known address."""
    console = _CONSOLES.get(partition_of(region))
    if console is None:
        return ""
    path = f"codesuite/codepipeline/pipelines/{pipeline}/executions/{execution_id}/timeline"
    return f"https://{console}/{path}?region={region}"
