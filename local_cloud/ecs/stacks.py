"""AWS::ECS::ExpressGatewayService: made and changed when its tasks are steady, as CloudFormation waits for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ministack.services import ecs
from ministack.services.cloudformation import provisioners, stacks

from local_cloud.ecs import express, services
from local_cloud.server import resource_types

TYPE = "AWS::ECS::ExpressGatewayService"
_STEADY_SECONDS = 180.0
_POLL_SECONDS = 0.1
_READ_ONLY_IN_UPDATES = ("serviceName", "cluster", "infrastructureRoleArn", "tags", "cpuArchitecture")
Properties = Mapping[str, Any]
_Made = tuple[str, dict[str, Any]]


def register() -> None:
    """Add the type to ministack's CloudFormation; its changes take their time, so each has a thread."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {
        "create": _create,
        "update": _update,
        "update_with_logical_id": True,
        "delete": _delete,
    }
    provisioners._STACK_TAG_PROPERTY[TYPE] = ("Tags", "list")
    definitions = provisioners._normalize_container_defs
    provisioners._normalize_container_defs = lambda given: [_with_secrets(one) for one in definitions(given)]
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-cluster.html
    provisioners._REPLACING_PROPERTIES.setdefault("AWS::ECS::Cluster", ("ClusterName",))
    blocks = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name == TYPE or blocks(name)


def _with_secrets(container: dict[str, Any]) -> dict[str, Any]:
    """A container's secrets as the API has them: ministack leaves them as templates do, and tasks get none."""
    found = [{key[0].lower() + key[1:]: value for key, value in one.items()} for one in container.get("secrets", ())]
    return container | ({"secrets": found} if found else {})


def _create(logical_id: str, properties: Properties, stack: str) -> _Made:
    named = {"ServiceName": provisioners._physical_name(stack, logical_id, max_len=255), **properties}
    request = resource_types.parameters("ecs", "CreateExpressGatewayService", named, TYPE)
    arn = express.SERVICE.call("CreateExpressGatewayService", request)["service"]["serviceArn"]
    try:
        return _steady(arn)
    except TimeoutError:
        _delete(arn, properties)
        raise


def _update(arn: str, before: Properties, after: Properties, stack: str, logical_id: str | None = None) -> _Made:
    if any(before.get(key) != after.get(key) for key in ("ServiceName", "Cluster", "InfrastructureRoleArn")):
        made = _create(logical_id or "", after, stack)
        provisioners._delete_predecessor(_delete, arn, before)
        return made
    request = resource_types.parameters("ecs", "CreateExpressGatewayService", after, TYPE)
    given = {key: value for key, value in request.items() if key not in _READ_ONLY_IN_UPDATES}
    express.SERVICE.call("UpdateExpressGatewayService", {**given, "serviceArn": arn})
    ecs._tags[arn] = request.get("tags", [])
    return _steady(arn)


def _delete(arn: str, _properties: Properties) -> None:
    if _service(arn)["status"] == "ACTIVE":
        express.SERVICE.call("DeleteExpressGatewayService", {"serviceArn": arn})


def _service(arn: str) -> dict[str, Any]:
    cluster, name = arn.split("/")[1:]
    found: dict[str, Any] = ecs._services.get(f"{cluster}/{name}") or {"status": "INACTIVE"}
    return found


def _steady(arn: str) -> _Made:
    """Wait until the tasks of the new revision answer, and no others run; raises TimeoutError."""
    deadline, service = time.monotonic() + _STEADY_SECONDS, _service(arn)
    deployment = ecs._primary_deployment(service)
    while time.monotonic() < deadline and deployment["rolloutState"] != "FAILED" and service["status"] == "ACTIVE":
        healthy, tasks = len(services.gateways[arn].healthy), services.tasks_of(service)
        if deployment["rolloutState"] == "COMPLETED" and healthy == len(tasks) == service["desiredCount"]:
            return arn, _attributes(arn, service["_express"])
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"Service {arn} did not stabilize: its tasks do not run or do not answer their health check.")


def _attributes(arn: str, express_service: Mapping[str, Any]) -> dict[str, Any]:
    ingress = "ECSManagedResourceArns.IngressPath"
    return {
        "ServiceArn": arn,
        "Endpoint": express_service["endpoint"],
        f"{ingress}.LoadBalancerArn": express_service["balancer"],
        f"{ingress}.TargetGroupArns": [express_service["targets"]],
    }
