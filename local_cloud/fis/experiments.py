"""Experiments: started from a template, run in a thread of their own, stopped by people, alarms and the safety lever.

https://docs.aws.amazon.com/fis/latest/userguide/experiments.html
"""

from __future__ import annotations

import contextvars
import copy
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local_cloud.fis import templates
from local_cloud.fis.run import OVER, Run
from local_cloud.fis.templates import invalid, page
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_LEVER = "default"
_MOST_ACTIVE = 5
_runs: Any = AccountRegionScopedDict()
_tokens: Any = AccountRegionScopedDict()
_lever: Any = AccountRegionScopedDict()
# Held while an experiment is admitted, so that a token that comes twice starts one, and the lever lets none slip by.
_admission = threading.RLock()


def _start(request: Request) -> dict[str, Any]:
    """The same token is the same experiment, of the same template."""
    with _admission:
        known = _runs.get(_tokens.get(request["clientToken"]) or "")
        if known:
            if known.record["experimentTemplateId"] != request["experimentTemplateId"]:
                raise ServiceError("ConflictException", "The client token was used for another template.")
            return {"experiment": known.told()}
        template = templates.template(request["experimentTemplateId"])
        if sum(one.record["state"]["status"] not in OVER for one in _runs.values()) >= _MOST_ACTIVE:
            raise ServiceError("ServiceQuotaExceededException", f"There are {_MOST_ACTIVE} active experiments already.")
        run = Run(record=_record(template, request), account=get_account_id(), region=get_region())
        _runs[run.record["id"]], _tokens[request["clientToken"]] = run, run.record["id"]
        engaged = _safety_lever()["state"]["status"] == "engaged"
    told = run.told()
    # The stores that the experiment's thread touches are scoped by context variables.
    context = contextvars.copy_context()
    arguments = (run.cancel if engaged else run.execute,)
    threading.Thread(target=context.run, args=arguments, daemon=True, name=run.record["id"]).start()
    return {"experiment": told}


def _record(template: Request, request: Request) -> dict[str, Any]:
    name, actions = templates.new_id("EXP"), copy.deepcopy(template["actions"])
    for action in actions.values():
        action["state"] = {"status": "pending", "reason": "Initial state"}
    options = {"actionsMode": "run-all", **request.get("experimentOptions", {})}
    return {
        **{key: template[key] for key in ("roleArn", "stopConditions") if key in template},
        **{key: template[key] for key in ("logConfiguration",) if key in template},
        "targets": copy.deepcopy(template["targets"]),
        "id": name,
        "arn": templates.arn("experiment", name),
        "experimentTemplateId": template["id"],
        "state": {"status": "pending", "reason": "Experiment is pending."},
        "actions": actions,
        "creationTime": time.time(),
        "tags": dict(request.get("tags", {})),
        "experimentOptions": template["experimentOptions"] | options,
        "targetAccountConfigurationsCount": 0,
    }


def _run(experiment_id: str) -> Run:
    found: Run | None = _runs.get(experiment_id)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"Experiment {experiment_id} not found.")
    return found


def _stop(request: Request) -> dict[str, Any]:
    told = _run(request["id"]).halt("Experiment halted by user action.")
    if told["state"]["status"] in OVER:
        raise invalid(f"Experiment {request['id']} is {told['state']['status']} and cannot be stopped.")
    return {"experiment": told}


def _summary(run: Run) -> dict[str, Any]:
    told = run.told()
    return {
        key: told[key]
        for key in ("id", "arn", "experimentTemplateId", "state", "creationTime", "tags", "experimentOptions")
    }


def _list(request: Request) -> dict[str, Any]:
    wanted = request.get("experimentTemplateId")
    found = [one for one in _runs.values() if wanted in (None, one.record["experimentTemplateId"])]
    return page([_summary(one) for one in found], request, "experiments")


def _list_targets(request: Request) -> dict[str, Any]:
    run, wanted = _run(request["experimentId"]), request.get("targetName")
    found = [
        {
            "resourceType": run.record["targets"][name]["resourceType"],
            "targetName": name,
            "targetInformation": {"arn": one},
        }
        for name, arns in run.resolved.items()
        for one in arns
        if wanted in (None, name)
    ]
    return page(found, request, "resolvedTargets")


def _safety_lever() -> dict[str, Any]:
    state = _lever.get("state") or {"status": "disengaged", "reason": "Initial state"}
    return {"id": _LEVER, "arn": templates.arn("safety-lever", _LEVER), "state": state}


def _get_lever(request: Request) -> dict[str, Any]:
    if request["id"] != _LEVER:
        raise ServiceError("ResourceNotFoundException", f"Safety lever {request['id']} not found.")
    return {"safetyLever": _safety_lever()}


def _move_lever(request: Request) -> dict[str, Any]:
    """Engaged, it stops what runs, and what is started is cancelled."""
    _get_lever(request)
    with _admission:
        if _safety_lever()["state"]["status"] == request["state"]["status"]:
            raise ServiceError("ConflictException", f"The safety lever is {request['state']['status']} already.")
        _lever["state"] = dict(request["state"])
        for run in _runs.values() if request["state"]["status"] == "engaged" else ():
            run.halt("Experiment halted by safety lever.")
    return {"safetyLever": _safety_lever()}


def tags_of(arn: str) -> dict[str, str] | None:
    """The tags of a template or an experiment, to be changed; None when there is none."""
    name = arn.rpartition("/")[2]
    run = _runs.get(name)
    found = run.record if run else templates.templates.get(name)
    tags: dict[str, str] | None = found["tags"] if found and found["arn"] == arn else None
    return tags


OPERATIONS: Mapping[str, Operation] = {
    "StartExperiment": _start,
    "GetExperiment": lambda request: {"experiment": _run(request["id"]).told()},
    "StopExperiment": _stop,
    "ListExperiments": _list,
    "ListExperimentResolvedTargets": _list_targets,
    "GetSafetyLever": _get_lever,
    "UpdateSafetyLeverState": _move_lever,
}
