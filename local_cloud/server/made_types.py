"""CloudFormation resource types that ministack has an API for, and makes no resources of."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ministack.services import apigateway, ec2, rds, secretsmanager
from ministack.services.cloudformation import provisioners

from local_cloud.server import settings

_Created = tuple[str, dict[str, Any]]


def register() -> None:
    """Add the types to ministack's CloudFormation; one that it has by itself stays its own."""
    types: Mapping[str, tuple[Callable[..., _Created], Callable[..., None]]] = {
        f"AWS::EC2::SecurityGroup{side}": (partial(_make_rule, rules), partial(_remove_rule, rules))
        for side, rules in (("Egress", "IpPermissionsEgress"), ("Ingress", "IpPermissions"))
    }
    for name, (create, delete) in types.items():
        provisioners._RESOURCE_HANDLERS.setdefault(name, {"create": create, "delete": delete})
    _address_apis()
    _make_logins()


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


def _make_logins() -> None:
    """A cluster whose login RDS manages has a secret of RDS's, which goes with it."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::RDS::DBCluster"]
    create, delete = handlers["create"], handlers["delete"]

    def made(logical_id: str, props: dict[str, Any], stack_name: str) -> _Created:
        name, attributes = create(logical_id, props, stack_name)
        if str(props.get("ManageMasterUserPassword")).lower() == "true":
            login = {"username": props.get("MasterUsername", "admin"), "password": uuid.uuid4().hex}
            secret = {"Name": _login_of(name), "SecretString": json.dumps(login)}
            _, its = provisioners._sm_secret_create(logical_id, secret, stack_name)
            attributes = {**attributes, "MasterUserSecret.SecretArn": its["Arn"]}
        return name, attributes

    def gone(physical_id: str, props: dict[str, Any]) -> None:
        if physical_id in rds._clusters:
            secretsmanager._secrets.pop(_login_of(physical_id), None)
        delete(physical_id, props)

    handlers.update(create=made, delete=gone)


def _login_of(cluster: str) -> str:
    return f"rds!{rds._clusters[cluster]['DbClusterResourceId']}"


def _make_rule(rules: str, logical_id: str, props: dict[str, Any], stack_name: str) -> _Created:
    group, rule = ec2._security_groups[props["GroupId"]], _rule(props)
    if rule not in group[rules]:
        group[rules].append(rule)
    return f"{stack_name}-{logical_id}", {}


def _remove_rule(rules: str, _: str, props: dict[str, Any]) -> None:
    if (group := ec2._security_groups.get(props["GroupId"])) and (rule := _rule(props)) in group[rules]:
        group[rules].remove(rule)


def _rule(props: Mapping[str, Any]) -> dict[str, Any]:
    (rule,) = provisioners._ec2_sg_permissions([dict(props)])
    return dict(rule)
