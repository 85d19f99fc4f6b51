"""Operations on pipelines, transitions and tags."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.codepipeline import lifecycle, store, views
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.paging import page

Request = Mapping[str, Any]
Answer = dict[str, Any]


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _tag_map(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in tags}


def _create(request: Request) -> Answer:
    tags = _tag_map(request.get("tags", []))
    pipeline = lifecycle.create(request["pipeline"], tags=tags)
    return {"pipeline": pipeline.definition.document, "tags": _tag_list(tags)}


def _update(request: Request) -> Answer:
    return {"pipeline": lifecycle.update(request["pipeline"]).definition.document}


def _get(request: Request) -> Answer:
    pipeline = store.find(request["name"])
    wanted = request.get("version", pipeline.definition.version)
    if wanted != pipeline.definition.version:
        raise ServiceError(
            "PipelineVersionNotFoundException",
            f"The local cloud keeps only version {pipeline.definition.version}",
        )
    metadata = {"pipelineArn": pipeline.arn, "created": pipeline.created, "updated": pipeline.updated}
    return {"pipeline": pipeline.definition.document, "metadata": metadata}


def _delete(request: Request) -> Answer:
    lifecycle.delete(request["name"])
    return {}


def _list(request: Request) -> Answer:
    items = [views.pipeline_summary(pipeline) for pipeline in store.all_pipelines()]
    return page(items, request, key="pipelines", size=1000)


def _state(request: Request) -> Answer:
    pipeline = store.find(request["name"])
    with pipeline.changed:
        return views.pipeline_state(pipeline)


def _set_transition(request: Request, *, disabled_reason: str | None) -> Answer:
    if request["transitionType"] != "Inbound":
        raise ServiceError("ValidationException", "The local cloud only knows Inbound transitions")
    pipeline = store.find(request["pipelineName"])
    with pipeline.changed:
        state = pipeline.stage_state(request["stageName"])
        state.disabled_reason, state.changed_at = disabled_reason, time.time()
        pipeline.changed.notify_all()
    return {}


def _enable(request: Request) -> Answer:
    return _set_transition(request, disabled_reason=None)


def _disable(request: Request) -> Answer:
    return _set_transition(request, disabled_reason=request["reason"])


def _tag(request: Request) -> Answer:
    store.find_by_arn(request["resourceArn"]).tags.update(_tag_map(request["tags"]))
    return {}


def _untag(request: Request) -> Answer:
    pipeline = store.find_by_arn(request["resourceArn"])
    for key in request["tagKeys"]:
        pipeline.tags.pop(key, None)
    return {}


def _list_tags(request: Request) -> Answer:
    return {"tags": _tag_list(store.find_by_arn(request["resourceArn"]).tags)}


OPERATIONS: Mapping[str, Callable[[Request], Answer]] = {
    "CreatePipeline": _create,
    "UpdatePipeline": _update,
    "GetPipeline": _get,
    "DeletePipeline": _delete,
    "ListPipelines": _list,
    "GetPipelineState": _state,
    "EnableStageTransition": _enable,
    "DisableStageTransition": _disable,
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": _list_tags,
}
