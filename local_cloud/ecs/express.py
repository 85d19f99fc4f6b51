"""Express Mode: a service with a listener in front of it, made, changed and deleted as one.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-work.html
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, ecs

from local_cloud.ecs import services
from local_cloud.ecs.gateway import Gateway
from local_cloud.server import credentials
from local_cloud.server.json_api import Operation, Service, ServiceError
from local_cloud.server.responses import Response

Request = Mapping[str, Any]
_DEFAULTS: Request = {"cpu": "256", "memory": "512", "cpuArchitecture": "X86_64", "healthCheckPath": "/ping"}
_CONFIGURED = (
    "executionRoleArn",
    "taskRoleArn",
    "primaryContainer",
    "networkConfiguration",
    "scalingTarget",
    *_DEFAULTS,
)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html: MiB by CPU units.
_MEMORY = {
    "256": (512, 1024, 2048),
    **{str(cpu): tuple(range(2 * cpu, 8 * cpu + 1, 1024)) for cpu in (1024, 2048)},
    "512": tuple(range(1024, 4097, 1024)),
    "4096": tuple(range(8192, 30721, 1024)),
}
_ROLES = {
    "infrastructureRoleArn": "ecs.amazonaws.com",
    "executionRoleArn": "ecs-tasks.amazonaws.com",
    "taskRoleArn": "ecs-tasks.amazonaws.com",
}
_BREAKER = {"enable": True, "rollback": True}
_DEPLOYMENT = {"maximumPercent": 200, "minimumHealthyPercent": 100, "deploymentCircuitBreaker": _BREAKER}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def _create(request: Request) -> dict[str, Any]:
    name = request.get("serviceName") or f"express-{secrets.token_hex(6)}"
    cluster = ecs._resolve_cluster_name(request.get("cluster")) or ""
    if cluster != "default" and cluster not in ecs._clusters:
        raise ServiceError("ClusterNotFoundException", "Cluster not found.")
    if ecs._services.get(f"{cluster}/{name}", {}).get("status") == "ACTIVE":
        raise _invalid("Creation of service was not idempotent.")
    if not request.get("executionRoleArn") or not request.get("primaryContainer"):
        raise _invalid("executionRoleArn and primaryContainer are needed")
    configured = _checked({**_DEFAULTS, **{key: request[key] for key in _CONFIGURED if key in request}}, request)
    _called(
        ecs._create_service,
        serviceName=name,
        cluster=cluster,
        taskDefinition=_definition(cluster, name, configured),
        desiredCount=_count(configured),
        launchType="FARGATE",
        deploymentConfiguration=_DEPLOYMENT,
        propagateTags="SERVICE",
        tags=request.get("tags", []),
    )
    service = ecs._services[f"{cluster}/{name}"]
    listener = Gateway(
        ports=services.ports_of(service, get_account_id(), get_region()), path=configured["healthCheckPath"]
    )
    service["_express"] = {**_infrastructure(listener.open()), "role": request["infrastructureRoleArn"]}
    service["loadBalancers"] = [
        {"targetGroupArn": service["_express"]["targets"], "containerName": "Main", "containerPort": _port(configured)}
    ]
    services.gateways[service["serviceArn"]] = listener
    return {"service": {**_described(service, _configuration(service, configured)), "tags": request.get("tags", [])}}


def _infrastructure(endpoint: str) -> dict[str, Any]:
    """What a service stands on: names of a load balancer and a target group, for metrics, and the address."""
    balancer, targets = (f"{kind}{secrets.token_hex(8)}" for kind in ("app/ecs-express-gateway-alb/", ""))
    targets = f"targetgroup/ecs-gateway-tg-{targets[:12]}/{targets}"
    place = f"arn:aws:elasticloadbalancing:{get_region()}:{get_account_id()}:"
    return {
        "endpoint": endpoint,
        "balancer": f"{place}loadbalancer/{balancer}",
        "targets": place + targets,
        "dimensions": {"LoadBalancer": balancer, "TargetGroup": targets},
    }


def _checked(configured: dict[str, Any], request: Request) -> dict[str, Any]:
    """A configuration that AWS takes; raises ServiceError."""
    for given in ("taskDefinitionArn",):
        if request.get(given):
            raise ServiceError("UnsupportedFeatureException", f"The local cloud's Express Mode does not do {given}")
    if int(configured["memory"]) not in _MEMORY.get(configured["cpu"], ()):
        raise _invalid("No Fargate configuration exists for given values.")
    if not configured["healthCheckPath"].startswith("/"):
        raise _invalid("The health check path must begin with a '/'.")
    ec2._ensure_defaults_initialized()
    if not configured.get("networkConfiguration") and not any(vpc.get("IsDefault") for vpc in ec2._vpcs.values()):
        raise _invalid("No default VPC found: name subnets in networkConfiguration")
    scaling = configured.get("scalingTarget", {})
    if scaling.get("minTaskCount", 1) > scaling.get("maxTaskCount", 20):
        raise _invalid("minTaskCount must not be greater than maxTaskCount")
    for key, service in _ROLES.items():
        if role := request.get(key):
            _refuse_role(role, service)
    return configured


def _refuse_role(role: str, service: str) -> None:
    try:
        credentials.assume_service_role(role, service, "ecs-express")
    except PermissionError as error:
        message = f"ECS was unable to assume the role '{role}' that was provided for this service. {error}"
        raise _invalid(message) from error


def _definition(cluster: str, name: str, configured: Request) -> str:
    """Register a revision of the task; its ARN."""
    given = dict(configured["primaryContainer"])
    logs = given.pop("awsLogsConfiguration", None)
    port = {"containerPort": given.pop("containerPort", 80), "protocol": "tcp", "name": "primary"}
    container = {**given, "name": "Main", "essential": True, "portMappings": [port]}
    if logs:
        options = {"awslogs-group": logs["logGroup"], "awslogs-stream-prefix": logs["logStreamPrefix"]}
        container["logConfiguration"] = {"logDriver": "awslogs", "options": {**options, "awslogs-region": get_region()}}
    roles = {key: configured[key] for key in ("executionRoleArn", "taskRoleArn") if configured.get(key)}
    answer = _called(
        ecs._register_task_definition,
        family=f"{cluster}-{name}",
        containerDefinitions=[container],
        requiresCompatibilities=["FARGATE"],
        cpu=configured["cpu"],
        memory=configured["memory"],
        **roles,
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def _called(operation: Any, **request: Any) -> dict[str, Any]:
    status, _, body = operation(request)
    answer: dict[str, Any] = json.loads(body)
    if status != HTTPStatus.OK:
        raise ServiceError(answer["__type"], answer["message"])
    return answer


def _count(configured: Request) -> int:
    return int(configured.get("scalingTarget", {}).get("minTaskCount", 1))


def _port(configured: Request) -> int:
    return int(configured["primaryContainer"].get("containerPort", 80))


def _configuration(service: dict[str, Any], configured: Request) -> dict[str, Any]:
    """Keep what was asked for as the service's configuration, and answer it."""
    revision = service["serviceArn"].replace(":service/", ":service-revision/")
    ingress = {"accessType": "PUBLIC", "endpoint": service["_express"]["endpoint"]}
    service["_express"]["configuration"] = {
        **configured,
        "serviceRevisionArn": f"{revision}/{time.time_ns()}",
        "taskDefinitionArn": service["taskDefinition"],
        "ingressPaths": [ingress],
        "createdAt": time.time(),
    }
    return dict(service["_express"]["configuration"])


def _described(service: Request, configuration: Request | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "cluster": service["clusterArn"].rpartition("/")[2],
        "serviceName": service["serviceName"],
        "serviceArn": service["serviceArn"],
        "infrastructureRoleArn": service["_express"]["role"],
        "status": {"statusCode": service["status"]},
        "currentDeployment": service["deployments"][0]["id"],
        "activeConfigurations": [configuration or service["_express"]["configuration"]],
        "createdAt": ecs._ts_to_epoch(service["createdAt"]),
        "updatedAt": (configuration or service["_express"]["configuration"])["createdAt"],
    }
    return told


def _found(request: Request, *, missing: str = "ServiceNotFoundException") -> dict[str, Any]:
    name, cluster = ecs._resolve_service_ref(request["serviceArn"]) or ("", "")
    service: dict[str, Any] | None = ecs._services.get(f"{cluster or 'default'}/{name}")
    if service is None:
        raise ServiceError(missing, f"Service {request['serviceArn']} was not found.")
    if "_express" not in service:
        raise _invalid(f"{request['serviceArn']} is no Express service.")
    return service


def _active(request: Request) -> dict[str, Any]:
    service = _found(request)
    if service["status"] != "ACTIVE":
        raise ServiceError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


def _describe(request: Request) -> dict[str, Any]:
    service = _found(request, missing="ResourceNotFoundException")
    tags = {"tags": ecs._tags.get(service["serviceArn"], [])} if "TAGS" in request.get("include", ()) else {}
    return {"service": {**_described(service), **tags}}


def _update(request: Request) -> dict[str, Any]:
    """What is not given stays, as in AWS."""
    service = _active(request)
    before = {key: value for key, value in service["_express"]["configuration"].items() if key in _CONFIGURED}
    configured = _checked({**before, **{key: request[key] for key in _CONFIGURED if key in request}}, request)
    cluster, name = service["clusterArn"].rpartition("/")[2], service["serviceName"]
    changed = {key for key in _CONFIGURED if configured.get(key) != before.get(key)}
    given: dict[str, Any] = {}
    if changed - {"healthCheckPath", "scalingTarget"}:
        given["taskDefinition"] = _definition(cluster, name, configured)
    if "scalingTarget" in changed:
        given["desiredCount"] = _count(configured)
    services.gateways[service["serviceArn"]].path = configured["healthCheckPath"]
    _called(ecs._update_service, cluster=cluster, service=name, **given)
    told = _described(service, _configuration(service, configured))
    told["targetConfiguration"] = told.pop("activeConfigurations")[0]
    return {"service": told}


def _delete(request: Request) -> dict[str, Any]:
    service = _active(request)
    cluster, name = service["clusterArn"].rpartition("/")[2], service["serviceName"]
    services.gateways.pop(service["serviceArn"]).close()
    _called(ecs._delete_service, cluster=cluster, service=name, force=True)
    return {"service": _described(service)}


OPERATIONS: dict[str, Operation] = {
    "CreateExpressGatewayService": _create,
    "DescribeExpressGatewayService": _describe,
    "UpdateExpressGatewayService": _update,
    "DeleteExpressGatewayService": _delete,
}
SERVICE = Service(name="ecs", operations=OPERATIONS, invalid=lambda _operation, _member: "InvalidParameterException")


def register() -> None:
    """Let ministack's ECS have these operations, too."""
    for name in OPERATIONS:
        ecs._ACTION_MAP[name] = _for_ministack(name)


def _for_ministack(name: str) -> Any:
    def function(data: Request) -> Response:
        return SERVICE.answer(name, json.dumps(data).encode())

    return function
