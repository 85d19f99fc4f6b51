"""What a FIS request is about, for IAM, and what it needs besides.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_fis.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from local_cloud.fis import experiments
from local_cloud.server.iam_gaps import Request

_KINDS = {
    "experimentTemplates": "experiment-template",
    "experiments": "experiment",
    "actions": "action",
    "safetyLevers": "safety-lever",
}


def resources(request: Request) -> str | list[str]:
    """The ARNs that a request is evaluated on; lists are, on `*`."""
    parts, body = [unquote(part) for part in request.path.strip("/").split("/", 1)], request.body
    if parts[0] == "tags":
        return parts[-1]
    place = f"arn:aws:fis:{request.region}:{request.account}:"
    if request.operation == "StartExperiment":
        return [f"{place}experiment-template/{body.get('experimentTemplateId')}", f"{place}experiment/*"]
    actions = [f"{place}action/{one.get('actionId')}" for one in _values(body.get("actions"))]
    if request.operation == "CreateExperimentTemplate":
        return [f"{place}experiment-template/*", *actions]
    if parts[0] in _KINDS and len(parts) > 1:
        return [f"{place}{_KINDS[parts[0]]}/{parts[1].split('/')[0]}", *actions]
    return "*"


def context(request: Request) -> Mapping[str, Any]:
    """The tags that a request sets or takes away, and those that what it is about has."""
    tags = request.body.get("tags") or {}
    found: dict[str, Any] = {f"aws:requesttag/{key}".lower(): value for key, value in tags.items()}
    if keys := [*tags, *request.query.get("tagKeys", ())]:
        found["aws:tagkeys"] = keys
    about = resources(request)
    for arn in [about] if isinstance(about, str) else about:
        its = experiments.tags_of(arn) or {}
        found |= {f"aws:resourcetag/{key}".lower(): value for key, value in its.items()}
    return found


def needs(operation: str, request: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What a request needs besides its own action: action, resource, condition keys."""
    if operation in ("CreateExperimentTemplate", "UpdateExperimentTemplate") and request.get("roleArn"):
        yield "iam:PassRole", str(request["roleArn"]), {"iam:passedtoservice": "fis.amazonaws.com"}
    kinds = {"CreateExperimentTemplate": "experiment-template", "StartExperiment": "experiment"}
    if request.get("tags") and operation in kinds:
        # As conditions, what a request makes has its tags already:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        its = {f"aws:resourcetag/{key}".lower(): value for key, value in request["tags"].items()}
        yield "fis:TagResource", f"{place}{kinds[operation]}/*", its


def _values(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value.values() if isinstance(one, Mapping)] if isinstance(value, Mapping) else []
