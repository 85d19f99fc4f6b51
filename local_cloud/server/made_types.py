"""CloudFormation resource types that ministack has an API for, and makes no resources of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import apigateway, ec2
from ministack.services.cloudformation import provisioners

from local_cloud.server import settings

_Created = tuple[str, dict[str, Any]]


def register() -> None:
    """Add the types to ministack's CloudFormation; one that it has by itself stays its own."""
    types: Mapping[str, tuple[Callable[..., _Created], Callable[..., None]]] = {
        "AWS::EC2::SecurityGroupIngress": (_make_rule, _remove_rule),
    }
    for name, (create, delete) in types.items():
        provisioners._RESOURCE_HANDLERS.setdefault(name, {"create": create, "delete": delete})
    _address_apis()


def _address_apis() -> None:
    """The address of an HTTP API is below the one endpoint: nothing resolves its own name."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create = handlers["create"]

    def addressed(logical_id: str, props: dict[str, Any], stack_name: str) -> _Created:
        name, attributes = create(logical_id, props, stack_name)
        address = f"{settings.current().endpoint}/_aws/execute-api/{name}"
        apigateway._apis[name]["apiEndpoint"] = address
        return name, {**attributes, "ApiEndpoint": address}

    handlers["create"] = addressed


def _make_rule(logical_id: str, props: dict[str, Any], stack_name: str) -> _Created:
    group = ec2._security_groups[props["GroupId"]]
    rule = _rule(props)
    if rule not in group["IpPermissions"]:
        group["IpPermissions"].append(rule)
    return f"{stack_name}-{logical_id}", {}


def _remove_rule(_: str, props: dict[str, Any]) -> None:
    if (group := ec2._security_groups.get(props["GroupId"])) and (rule := _rule(props)) in group["IpPermissions"]:
        group["IpPermissions"].remove(rule)


def _rule(props: Mapping[str, Any]) -> dict[str, Any]:
    (rule,) = provisioners._ec2_sg_permissions([dict(props)])
    return dict(rule)
