"""The API: reads requests, checks them against the service's model, answers in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from local_cloud.securityhub import hubs, search
from local_cloud.securityhub.hubs import Hub, ServiceError, key_of
from local_cloud.securityhub.validation import problems
from local_cloud.server.responses import Response

_MOST_FINDINGS = 100
_MOST_BYTES = 6_000_000
_HEADERS = {"Content-Type": "application/json"}


def answer(operation: str, body: bytes) -> Response:
    """Execute one request."""
    try:
        result = _operation(operation)(_request(operation, body))
    except ServiceError as error:
        document = {"Code": error.code, "Message": str(error)}
        headers = {**_HEADERS, "x-amzn-errortype": error.code}
        return error.status, headers, json.dumps(document).encode()
    return 200, dict(_HEADERS), json.dumps(result).encode()


def _operation(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    if name not in _OPERATIONS:
        raise ServiceError("NotImplemented", f"The local cloud does not serve {name or 'this'} of Security Hub")
    return _OPERATIONS[name]


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("securityhub")


def _request(operation: str, body: bytes) -> dict[str, Any]:
    if len(body) > _MOST_BYTES:
        raise ServiceError("InvalidInputException", f"The request has {len(body)} bytes; 6 MB are taken")
    try:
        request: dict[str, Any] = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("InvalidInputException", f"The request is not JSON: {error}") from error
    report = ParamValidator().validate(request, _model().operation_model(operation).input_shape)
    if report.has_errors():
        raise ServiceError("InvalidInputException", report.generate_report())
    return request


def _enable(_request: Mapping[str, Any]) -> dict[str, Any]:
    hubs.enable()
    return {}


def _describe(_request: Mapping[str, Any]) -> dict[str, Any]:
    hub = hubs.enabled()
    return {"HubArn": hub.arn, "SubscribedAt": hub.since, "AutoEnableControls": True}


def _disable(_request: Mapping[str, Any]) -> dict[str, Any]:
    hubs.disable()
    return {}


def _import(request: Mapping[str, Any]) -> dict[str, Any]:
    hub, findings = hubs.enabled(), request["Findings"]
    _few(findings, "Findings")
    if strange := [one["ProductArn"] for one in findings if one["ProductArn"] != hub.product]:
        raise ServiceError(
            "AccessDeniedException", f"not authorized to perform securityhub:BatchImportFindings on {strange[0]}"
        )
    failed = []
    with hub.lock:
        for one in findings:
            if refusal := _refusal(hub, one):
                failed.append({"Id": one["Id"], **refusal})
            else:
                hub.put(one)
    return {"FailedCount": len(failed), "SuccessCount": len(findings) - len(failed), "FailedFindings": failed}


def _refusal(hub: Hub, finding: dict[str, Any]) -> dict[str, str] | None:
    if finding["AwsAccountId"] != hub.account:
        return {"ErrorCode": "InvalidAccess", "ErrorMessage": "The finding is of another account than its sender"}
    if found := problems(finding):
        words = f"Finding does not adhere to Amazon Finding Format. {', '.join(found)}."
        return {"ErrorCode": "InvalidInput", "ErrorMessage": words}
    return None


def _get(request: Mapping[str, Any]) -> dict[str, Any]:
    hub = hubs.enabled()
    with hub.lock:
        return search.page(list(hub.findings.values()), request)


def _update(request: Mapping[str, Any]) -> dict[str, Any]:
    hub, named = hubs.enabled(), request["FindingIdentifiers"]
    _few(named, "FindingIdentifiers")
    with hub.lock:
        done = [hub.triage(key_of(one), request) for one in named]
    missing = {"ErrorCode": "FindingNotFound", "ErrorMessage": "There is no such finding"}
    return {
        "ProcessedFindings": [one for one, found in zip(named, done, strict=True) if found],
        "UnprocessedFindings": [
            {"FindingIdentifier": one, **missing} for one, found in zip(named, done, strict=True) if not found
        ],
    }


def _few(entries: list[Any], name: str) -> None:
    if len(entries) > _MOST_FINDINGS:
        raise ServiceError(
            "InvalidInputException",
            f"Invalid parameter '{name}'. data should NOT have more than {_MOST_FINDINGS} items",
        )


_OPERATIONS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "EnableSecurityHub": _enable,
    "DescribeHub": _describe,
    "DisableSecurityHub": _disable,
    "BatchImportFindings": _import,
    "BatchUpdateFindings": _update,
    "GetFindings": _get,
}
