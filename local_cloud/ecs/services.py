"""What ECS does for services by itself: new tasks for those that stopped, health checks, and metrics.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, ecs

from local_cloud.ecs import gateway, tokens
from local_cloud.ecs.gateway import Gateway
from local_cloud.ecs.processes import PROCESSES
from local_cloud.server import alarms

_TICK_SECONDS = 0.5
# Between checks of tasks that are all healthy.
_CHECK_SECONDS = 2.0
_log = logging.getLogger("local_cloud")
_reconciling = threading.RLock()
gateways: dict[str, Gateway] = {}
_checked: dict[str, float] = {}
_measured: dict[tuple[str, str], float] = {}


def register() -> None:
    """Take over ministack's ECS; once, before it serves."""
    ecs._docker = PROCESSES
    reconcile, run_task = ecs._reconcile_service_tasks, ecs._run_task

    def alone(cluster: str, key: str) -> None:
        with _reconciling:
            reconcile(cluster, key)

    def with_tags(data: dict[str, Any]) -> Any:
        """A service that hands on its tags does so to its tasks."""
        cluster, name = ecs._resolve_cluster_name(data.get("cluster")), data.get("group", "").partition("service:")[2]
        service = ecs._services.get(f"{cluster}/{name}") or {}
        handed = list(ecs._tags.get(service["serviceArn"], ())) if service.get("propagateTags") == "SERVICE" else []
        return run_task({**data, "tags": handed} if handed else data)

    ecs._reconcile_service_tasks, ecs._run_task = alone, with_tags
    ecs._ACTION_MAP["RunTask"] = lambda data: tokens.once(data, lambda: with_tags(data))
    threading.Thread(target=_watch, daemon=True, name="ecs-services").start()


def tasks_of(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tasks of a service that are not over."""
    group = f"service:{service['serviceName']}"
    return [
        task
        for task in ecs._tasks.values()
        if task["group"] == group and task["clusterArn"] == service["clusterArn"] and task["desiredStatus"] != "STOPPED"
    ]


def ports_of(service: Mapping[str, Any], account: str, region: str) -> Callable[[], dict[str, int]]:
    """What tells the ports of the running tasks of a service."""

    def ports() -> dict[str, int]:
        with request_scope(account, region):
            running = {task["taskArn"]: list(task["_docker_ids"]) for task in tasks_of(service) if _runs(task)}
        found = {arn: PROCESSES.port_of(ids[0]) for arn, ids in running.items() if ids}
        return {arn: port for arn, port in found.items() if port}

    return ports


def _runs(task: Mapping[str, Any]) -> bool:
    return bool(task["lastStatus"] == "RUNNING")


def _watch() -> None:
    while True:
        time.sleep(_TICK_SECONDS)
        try:
            _check()
            for (account, region, key), service in list(ecs._services.all_items()):
                with request_scope(account, region):
                    _tend(key, service)
        except Exception:
            _log.exception("Services cannot be looked after")


def _check() -> None:
    now = time.monotonic()
    due = [arn for arn, one in list(gateways.items()) if _is_due(arn, one, now)]
    gateway.check_all([gateways[arn] for arn in due])
    _checked.update(dict.fromkeys(due, now))


def _is_due(arn: str, one: Gateway, now: float) -> bool:
    return len(one.healthy) < len(one.ports()) or now - _checked.get(arn, 0) >= _CHECK_SECONDS


def _tend(key: str, service: dict[str, Any]) -> None:
    cluster, arn = key.partition("/")[0], service["serviceArn"]
    listener = gateways.get(arn)
    if service["status"] != "ACTIVE":
        if listener:
            gateways.pop(arn).close()
        return
    for task in listener.failing if listener else ():
        ecs._stop_task({"cluster": cluster, "task": task, "reason": "Task failed ELB health checks"})
    if len(tasks_of(service)) < service["desiredCount"]:
        ecs._reconcile_service_tasks(cluster, key)
    for namespace, name, value, dimensions in _measures(cluster, service, listener):
        cloudwatch.record_metric(namespace, name, value, "Count", dimensions)


def _measures(
    cluster: str, service: Mapping[str, Any], listener: Gateway | None
) -> Iterator[tuple[str, str, float, dict[str, str]]]:
    """What is due: of a load balancer's targets every five seconds of a minute, of ECS once a minute."""
    tasks = tasks_of(service)
    running = sum(map(_runs, tasks))
    if listener and _due(service, "targets", alarms.minute() / 12):
        healthy = len(listener.healthy)
        dimensions = service["_express"]["dimensions"]
        yield "AWS/ApplicationELB", "HealthyHostCount", healthy, dimensions
        yield "AWS/ApplicationELB", "UnHealthyHostCount", max(0, running - healthy), dimensions
    if not _due(service, "tasks", alarms.minute()):
        return
    dimensions = {"ClusterName": cluster, "ServiceName": service["serviceName"]}
    for _ in range(running):
        yield "AWS/ECS", "CPUUtilization", 1.0, dimensions
    settings = {one["name"]: one["value"] for one in ecs._clusters[cluster]["settings"]}
    if settings.get("containerInsights", "disabled") != "disabled":
        yield "ECS/ContainerInsights", "RunningTaskCount", running, dimensions
        yield "ECS/ContainerInsights", "PendingTaskCount", len(tasks) - running, dimensions
        yield "ECS/ContainerInsights", "DesiredTaskCount", service["desiredCount"], dimensions


def _due(service: Mapping[str, Any], what: str, seconds: float) -> bool:
    now, key = time.monotonic(), (service["serviceArn"], what)
    if now - _measured.get(key, 0) < seconds:
        return False
    _measured[key] = now
    return True
