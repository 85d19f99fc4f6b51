"""Approval/Manual: waits for PutApprovalResult.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
"""

from __future__ import annotations

import json
import uuid

from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.errors import ActionFailed

REQUIRED: frozenset[str] = frozenset()
# Seven days: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
_TIMEOUT_MINUTES = 7 * 24 * 60


def run(context: Context) -> Outcome:
    """Publish the request, if there is a topic, and wait for the answer."""
    with context.pipeline.changed:
        context.run.token = str(uuid.uuid4())
        context.pipeline.changed.notify_all()
    if topic := context.optional("NotificationArn"):
        context.client("sns").publish(
            TopicArn=topic,
            Subject=f"APPROVAL NEEDED: AWS CodePipeline {context.pipeline.definition.name}"[:100],
            Message=json.dumps(_request(context)),
        )
    answer: dict[str, str] = {}

    def answered() -> bool:
        answer.update(context.execution.approvals.get(context.run.id, {}))
        return bool(answer)

    context.wait(answered, default_minutes=_TIMEOUT_MINUTES)
    context.run.summary = answer["summary"]
    context.run.updated_by = answer["by"]
    if answer["status"] != "Approved":
        raise ActionFailed("Rejected", f"Rejected by {answer['by']}: {answer['summary']}")
    return Outcome()


def _request(context: Context) -> dict[str, object]:
    approval = {
        "pipelineName": context.pipeline.definition.name,
        "stageName": context.run.stage,
        "actionName": context.action.name,
        "token": context.run.token,
        "externalEntityLink": context.optional("ExternalEntityLink") or None,
        "customData": context.optional("CustomData") or None,
    }
    return {"region": context.pipeline.region, "approval": approval}
