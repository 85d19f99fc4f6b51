"""Experiment templates: kept as they were asked for, when they name what there is here."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local_cloud.fis import targets
from local_cloud.fis.actions import ACTIONS, TARGETS
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_KEPT = ("description", "targets", "actions", "stopConditions", "roleArn", "logConfiguration", "experimentOptions")
_OPTIONS = {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"}
_MOST_ARNS, _MOST_STOP_CONDITIONS = 5, 5
_LETTERS = string.ascii_letters + string.digits
templates: Any = AccountRegionScopedDict()
_tokens: Any = AccountRegionScopedDict()


def invalid(message: str) -> ServiceError:
    """The error of a request that cannot be done as it is."""
    return ServiceError("ValidationException", message)


def new_id(prefix: str) -> str:
    """An id as FIS makes them."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(15))


def arn(kind: str, name: str) -> str:
    """The ARN of something of FIS's in the account and Region in scope."""
    return f"arn:aws:fis:{get_region()}:{get_account_id()}:{kind}/{name}"


def template(template_id: str) -> dict[str, Any]:
    """A template; raises ServiceError."""
    found: dict[str, Any] | None = templates.get(template_id)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"Experiment template {template_id} not found.")
    return found


def page(found: Sequence[Mapping[str, Any]], request: Request, under: str) -> dict[str, Any]:
    """A page of an answer; tokens are positions."""
    try:
        first = int(request.get("nextToken", 0))
    except ValueError as error:
        raise invalid("nextToken is not one that was given") from error
    last = first + request.get("maxResults", 100)
    return {under: list(found[first:last])} | ({"nextToken": str(last)} if last < len(found) else {})


def _create(request: Request) -> dict[str, Any]:
    """The same token is the same template."""
    known = _tokens.get(request["clientToken"])
    if known and known in templates:
        return {"experimentTemplate": template(known)}
    now, name = time.time(), new_id("EXT")
    made = {
        "targets": {},
        **{key: request[key] for key in _KEPT if key in request},
        "experimentOptions": _OPTIONS | request.get("experimentOptions", {}),
        "id": name,
        "arn": arn("experiment-template", name),
        "creationTime": now,
        "lastUpdateTime": now,
        "tags": dict(request.get("tags", {})),
        "targetAccountConfigurationsCount": 0,
    }
    _refuse(request, made)
    templates[name] = made
    _tokens[request["clientToken"]] = name
    return {"experimentTemplate": made}


def _update(request: Request) -> dict[str, Any]:
    """What is given replaces what was there."""
    before = template(request["id"])
    given = {key: request[key] for key in _KEPT if key in request}
    if "experimentOptions" in given:
        given["experimentOptions"] = before["experimentOptions"] | given["experimentOptions"]
    made = {**before, **given, "lastUpdateTime": time.time()}
    _refuse(request, made)
    templates[made["id"]] = made
    return {"experimentTemplate": made}


def _delete(request: Request) -> dict[str, Any]:
    """Experiments that it started go on, as in AWS."""
    found = template(request["id"])
    del templates[found["id"]]
    return {"experimentTemplate": found}


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in ("id", "arn", "description", "creationTime", "lastUpdateTime", "tags")}


def _list(request: Request) -> dict[str, Any]:
    return page([_summary(one) for one in templates.values()], request, "experimentTemplates")


def _refuse(request: Request, made: Request) -> None:
    if request.get("experimentReportConfiguration"):
        raise invalid("The local cloud's FIS makes no reports")
    if "s3Configuration" in made.get("logConfiguration", {}):
        raise invalid("The local cloud's FIS logs to CloudWatch Logs alone")
    if made["experimentOptions"]["accountTargeting"] != "single-account":
        raise invalid("The local cloud's FIS experiments with one account")
    for problem in (*_of_actions(made), *_of_targets(made), *_of_stop_conditions(made)):
        raise invalid(problem)


def _of_actions(made: Request) -> Iterator[str]:
    if not made["actions"]:
        yield "A template needs an action"
    for name, action in made["actions"].items():
        known = ACTIONS.get(action.get("actionId", ""))
        if known is None:
            yield f"Action {name}: the local cloud's FIS does {sorted(ACTIONS)}, not {action.get('actionId')}"
            continue
        given, hit = action.get("parameters", {}), action.get("targets", {})
        missing, strange = known.parameters.keys() - given.keys(), given.keys() - {*known.parameters, *known.optional}
        if missing or strange:
            yield f"Action {name}: parameters {sorted(missing)} are missing, {sorted(strange)} are not known"
        elif problem := known.check(given):
            yield f"Action {name}: {problem}"
        if hit.keys() != known.targets.keys():
            yield f"Action {name}: its targets are {sorted(known.targets)}, not {sorted(hit)}"
        for key, target in hit.items():
            if made["targets"].get(target, {}).get("resourceType") != known.targets.get(key):
                yield f"Action {name}: there is no target {target} of type {known.targets.get(key)}"
    yield from _of_order(made["actions"])


def _of_order(actions: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    left = {name: set(action.get("startAfter", ())) for name, action in actions.items()}
    for name, before in left.items():
        if lost := before - actions.keys():
            yield f"Action {name}: there are no actions {sorted(lost)} to start after"
    while ready := [name for name, before in left.items() if not before & left.keys()]:
        for name in ready:
            del left[name]
    if left:
        yield f"Actions {sorted(left)} wait for each other"


def _of_targets(made: Request) -> Iterator[str]:
    used = {target for action in made["actions"].values() for target in action.get("targets", {}).values()}
    if unused := made["targets"].keys() - used:
        yield f"Targets {sorted(unused)} belong to no action"
    for name, target in made["targets"].items():
        kind, arns = target["resourceType"], target.get("resourceArns", ())
        tags, parameters = target.get("resourceTags"), target.get("parameters", {})
        if kind not in TARGETS:
            yield f"Target {name}: the local cloud's FIS hits {sorted(TARGETS)}, not {kind}"
        elif bool(arns) == bool(tags or parameters):
            yield f"Target {name}: it needs resourceArns, or else resourceTags or parameters"
        elif strange := parameters.keys() - TARGETS[kind].keys():
            yield f"Target {name}: parameters {sorted(strange)} are not known"
        elif (arns and target.get("filters")) or len(arns) > _MOST_ARNS:
            yield f"Target {name}: with resourceArns, of which there are at most {_MOST_ARNS}, there are no filters"
        elif problem := targets.mode_problem(target["selectionMode"]):
            yield f"Target {name}: {problem}"


def _of_stop_conditions(made: Request) -> Iterator[str]:
    conditions = made["stopConditions"]
    if not 0 < len(conditions) <= _MOST_STOP_CONDITIONS:
        yield f"A template needs from one to {_MOST_STOP_CONDITIONS} stop conditions"
    for one in conditions:
        alarm = ":alarm:" in one.get("value", "")
        if (one["source"], alarm) not in {("none", False), ("aws:cloudwatch:alarm", True)}:
            yield "A stop condition is of source none, or aws:cloudwatch:alarm with the ARN of an alarm as its value"


OPERATIONS: Mapping[str, Operation] = {
    "CreateExperimentTemplate": _create,
    "GetExperimentTemplate": lambda request: {"experimentTemplate": template(request["id"])},
    "UpdateExperimentTemplate": _update,
    "DeleteExperimentTemplate": _delete,
    "ListExperimentTemplates": _list,
}
