"""The API: reads requests, checks them against the service's model, answers in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.validate import ParamValidator

from lambdas.gates.model.iam.access import Answer
from local_cloud.accessanalyzer import analyzers, checks
from local_cloud.accessanalyzer.analyzers import Json, ServiceError
from local_cloud.server.responses import Response

SERVICE = "accessanalyzer"
_HEADERS = {"Content-Type": "application/json"}
_MOST = 100


def answer(operation: str, path: str, body: bytes, query: Mapping[str, Any]) -> Response:
    """Execute one request."""
    try:
        result = _operation(operation)(_request(operation, path, body, query))
    except ServiceError as error:
        headers = {**_HEADERS, "x-amzn-errortype": error.code}
        return error.status, headers, json.dumps({"message": str(error)}).encode()
    return 200, dict(_HEADERS), json.dumps(result).encode()


def _operation(name: str) -> Callable[[Json], Json]:
    if name not in _OPERATIONS:
        raise ServiceError("NotImplemented", f"The local cloud does not serve {name or 'this'} of IAM Access Analyzer")
    return _OPERATIONS[name]


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model(SERVICE)


def _request(operation: str, path: str, body: bytes, query: Mapping[str, Any]) -> Json:
    """What a request says, in whichever of its parts, as the model has it."""
    model = _model().operation_model(operation)
    try:
        request: Json = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("ValidationException", f"The request is not JSON: {error}") from error
    named = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", model.http["requestUri"]), path)
    request |= {name: unquote(value) for name, value in (named.groupdict() if named else {}).items()}
    for name, shape in model.input_shape.members.items():
        if shape.serialization.get("location") == "querystring" and query.get(name):
            request[name] = int(query[name][0]) if shape.type_name == "integer" else query[name][0]
    report = ParamValidator().validate(request, model.input_shape)
    if report.has_errors():
        raise ServiceError("ValidationException", report.generate_report())
    return request


def _page(name: str, found: Sequence[Json], request: Json) -> Json:
    """A page of what was found; the token is where the next begins."""
    token, size = str(request.get("nextToken", "0")), request.get("maxResults", _MOST)
    if not token.isdigit():
        raise ServiceError("ValidationException", "The nextToken is none of ours")
    last = int(token) + size
    return {name: found[int(token) : last], **({"nextToken": str(last)} if last < len(found) else {})}


def _validate(request: Json) -> Json:
    if request["policyType"] not in ("IDENTITY_POLICY", "RESOURCE_POLICY"):
        raise ServiceError("ValidationException", f"The local cloud does not validate a {request['policyType']}")
    found = checks.validated(request["policyDocument"], of_resource=request["policyType"] == "RESOURCE_POLICY")
    return _page("findings", found, request)


def _findings(request: Json) -> Json:
    if request.get("filter"):
        raise ServiceError("ValidationException", "The local cloud does not filter findings")
    found = analyzers.previewed(request["accessPreviewId"], request["analyzerArn"]).findings
    return _page("findings", found, request)


def _understood(*texts: str) -> None:
    if any(checks.is_unclear(text) for text in texts):
        raise ServiceError("ValidationException", "The policy is not understood: see what ValidatePolicy says")


def _no_public_access(request: Json) -> Json:
    _understood(request["policyDocument"])
    everybody = [one.number for one in checks.strangers_of(request["policyDocument"], "nobody's") if one.anybody]
    return _judged("public access", everybody)


def _not_granted(request: Json) -> Json:
    text = request["policyDocument"]
    _understood(text)
    found: list[int] = []
    for access in request["access"]:
        actions, resources = access.get("actions", []), access.get("resources", [])
        if not (actions or resources) or max(len(actions), len(resources)) > _MOST:
            raise ServiceError("ValidationException", f"Name actions or resources, at most {_MOST} of each")
        found += checks.granted(text, actions, resources)
    return _judged("access that must not be granted", sorted(set(found)))


def _no_new_access(request: Json) -> Json:
    new, existing = request["newPolicyDocument"], request["existingPolicyDocument"]
    _understood(new, existing)
    verdict = checks.compared(new, existing)
    if verdict.answer is Answer.UNDECIDED:
        raise ServiceError("UnprocessableEntityException", f"Not decided: {verdict.reason} {checks.own_words()}")
    told = verdict.request and f"new access: {verdict.request.action} on {verdict.request.resource}"
    return _judged(told or "new access", [0] if verdict.request else [])


def _judged(what: str, statements: Sequence[int]) -> Json:
    """What a check comes to, with the statements that fail it."""
    failed = bool(statements)
    message = f"The policy document {'grants' if failed else 'does not grant'} {what} {checks.own_words()}"
    reasons = [{"description": f"Statement {number} grants {what}.", "statementIndex": number} for number in statements]
    return {"result": "FAIL" if failed else "PASS", "message": message, **({"reasons": reasons} if failed else {})}


_OPERATIONS: Mapping[str, Callable[[Json], Json]] = {
    "ListAnalyzers": lambda request: _page("analyzers", analyzers.analyzers(request.get("type")), request),
    "CreateAnalyzer": lambda request: {"arn": analyzers.create(request["analyzerName"], request["type"])},
    "ValidatePolicy": _validate,
    "CreateAccessPreview": lambda request: {"id": analyzers.preview(request["analyzerArn"], request["configurations"])},
    "GetAccessPreview": lambda request: {
        "accessPreview": analyzers.previewed(request["accessPreviewId"], request["analyzerArn"]).summary
    },
    "ListAccessPreviewFindings": _findings,
    "CheckNoPublicAccess": _no_public_access,
    "CheckAccessNotGranted": _not_granted,
    "CheckNoNewAccess": _no_new_access,
}
