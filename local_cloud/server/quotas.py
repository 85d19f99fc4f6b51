"""Service Quotas, and limits of CloudFormation, which ministack lacks: those of an account, and of one answer.

A request for an increase is granted at once, and may lower a quota too: that is how a test comes to a full account.
Nothing enforces these numbers here; CodeBuild's own limit is a setting of the fault board.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_actions, responses, router
from ministack.services.cloudformation import handlers as cloudformation
from ministack.services.cloudformation.helpers import _xml

from local_cloud.server.responses import Response, error, success

_SCOPE = "servicequotas"
_STACKS = ("cloudformation", "L-0485CB21")
# By (service, quota code): name and AWS's default; the builds are as many as this cloud admits.
# https://docs.aws.amazon.com/general/latest/gr/codepipeline.html and its neighbours
_DEFAULTS: Mapping[tuple[str, str], tuple[str, float]] = {
    _STACKS: ("Stack count", 2000.0),
    ("codebuild", "L-ACCF6C0D"): ("Build projects", 5000.0),
    ("codebuild", "L-5ED1D25B"): ("Concurrently running builds for ARM/Small environment", 60.0),
    ("codebuild", "L-DF544FF3"): ("Concurrently running builds for ARM/Medium environment", 60.0),
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6.0),
    ("codepipeline", "L-78D200AD"): ("Total pipelines", 1000.0),
}
_SHOWN_RESOURCES = 100
_MEMBER_END = b"</member>"
_values: Any = responses.AccountRegionScopedDict()


def register() -> None:
    """Add the service, and CloudFormation's operation; once, before serving."""
    router.SERVICE_PATTERNS[_SCOPE] = {"target_prefixes": ["ServiceQuotasV20190624."], "credential_scope": _SCOPE}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_SCOPE] = _SCOPE
    iam_actions._BOTOCORE_SERVICE_MAP[_SCOPE] = ["service-quotas"]
    ministack_app.SERVICE_HANDLERS[_SCOPE] = _handle
    cloudformation._ACTION_HANDLERS["DescribeAccountLimits"] = _describe_account_limits
    cloudformation._ACTION_HANDLERS["DescribeStackResources"] = _describe_stack_resources


async def _handle(
    _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, Any]
) -> Response:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    request = json.loads(body or b"{}")
    if operation not in _OPERATIONS:
        return error("NotImplemented", f"The local cloud does not serve {operation} of Service Quotas", status=501)
    quota = (str(request.get("ServiceCode")), str(request.get("QuotaCode")))
    if quota not in _DEFAULTS:
        return error("NoSuchResourceException", f"The local cloud knows no quota {quota[1]} of {quota[0]}")
    return success(_OPERATIONS[operation](quota, request))


def _value(quota: tuple[str, str]) -> float:
    return float(_values.get("/".join(quota), _DEFAULTS[quota][1]))


def _shown(quota: tuple[str, str], value: float) -> dict[str, Any]:
    service, code = quota
    arn = f"arn:aws:servicequotas:{responses.get_region()}:{responses.get_account_id()}:{service}/{code}"
    return {
        "ServiceCode": service,
        "QuotaCode": code,
        "QuotaName": _DEFAULTS[quota][0],
        "QuotaArn": arn,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def _get(quota: tuple[str, str], _request: Mapping[str, Any]) -> dict[str, Any]:
    return {"Quota": _shown(quota, _value(quota))}


def _get_default(quota: tuple[str, str], _request: Mapping[str, Any]) -> dict[str, Any]:
    return {"Quota": _shown(quota, _DEFAULTS[quota][1])}


def _grant(quota: tuple[str, str], request: Mapping[str, Any]) -> dict[str, Any]:
    wanted = float(request["DesiredValue"])
    _values["/".join(quota)] = wanted
    service, code = quota
    granted = {"ServiceCode": service, "QuotaCode": code, "DesiredValue": wanted, "Status": "APPROVED"}
    return {"RequestedQuota": {"Id": f"{service}-{code}", **granted}}


_OPERATIONS: Mapping[str, Callable[[tuple[str, str], Mapping[str, Any]], dict[str, Any]]] = {
    "GetAWSDefaultServiceQuota": _get_default,
    "GetServiceQuota": _get,
    "RequestServiceQuotaIncrease": _grant,
}


def _describe_account_limits(_parameters: Mapping[str, Any]) -> Any:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    limits = {"ConcurrentResourcesLimit": 2500, "StackLimit": int(_value(_STACKS)), "StackOutputsLimit": 200}
    members = "".join(f"<member><Name>{name}</Name><Value>{value}</Value></member>" for name, value in limits.items())
    inner = f"<DescribeAccountLimitsResult><AccountLimits>{members}</AccountLimits></DescribeAccountLimitsResult>"
    return _xml(200, "DescribeAccountLimitsResponse", inner)


def _describe_stack_resources(parameters: Mapping[str, Any]) -> Any:
    # "Only the first 100 resources will be returned", and nothing says that there are more:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
    status, headers, body = cloudformation._describe_stack_resources(parameters)
    *members, rest = body.split(_MEMBER_END)
    return status, headers, _MEMBER_END.join([*members[:_SHOWN_RESOURCES], rest])
