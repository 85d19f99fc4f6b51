"""What a CodePipeline request acts on, for IAM.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
"""

from __future__ import annotations

from local_cloud.server.iam_gaps import Request


def resource_arn(request: Request) -> str:
    """The pipeline, stage or action that the request names; ``*`` when it names none, as job requests do."""
    body = request.body
    if arn := body.get("resourceArn"):
        return str(arn)
    name = body.get("pipelineName") or body.get("name") or body.get("pipeline", {}).get("name")
    if not name:
        # It lists pipelines of every name, and is asked for all of them.
        all_of_them = request.operation == "ListPipelines"
        return f"arn:aws:codepipeline:{request.region}:{request.account}:*" if all_of_them else "*"
    parts = [name, body.get("stageName"), body.get("actionName")]
    path = "/".join(part for part in parts if part)
    return f"arn:aws:codepipeline:{request.region}:{request.account}:{path}"
