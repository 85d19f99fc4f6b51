"""Express services of the engine tests: made, asked over their listener, and waited for."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.local.local_cloud_fixtures import Workbench, wait_until

TASKS, ECS = {"Service": "ecs-tasks.amazonaws.com"}, {"Service": "ecs.amazonaws.com"}


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An account with an Express service or more."""

    workbench: Workbench

    @property
    def client(self) -> Any:
        """ECS, as the account's root."""
        return self.workbench.client("ecs")

    def roles(self) -> dict[str, str]:
        """The roles that a service needs, as parameters."""
        execution = self.workbench.role("execution", principal=TASKS)
        return {
            "executionRoleArn": execution,
            "infrastructureRoleArn": self.workbench.role("infrastructure", principal=ECS),
        }

    def create(self, name: str = "shop", *, count: int = 1, image: str = "example/shop:1", **given: Any) -> Any:
        """A service of so many tasks, once each of them has answered; as it was described at first."""
        container = {"image": image, "containerPort": 80}
        scaling = {"minTaskCount": count, "maxTaskCount": 5}
        roles = {} if "executionRoleArn" in given else self.roles()
        service = self.client.create_express_gateway_service(
            serviceName=name, primaryContainer=container, healthCheckPath="/", scalingTarget=scaling, **roles, **given
        )["service"]
        self.answers(service)
        wait_until(lambda: len({self.ask(service) for _ in range(count)}) == count, what="an answer of each task")
        return service

    def describe(self, name: str = "shop") -> dict[str, Any]:
        """The service as DescribeServices has it."""
        service: dict[str, Any] = self.client.describe_services(services=[name])["services"][0]
        return service

    def steady(self, name: str, count: int) -> None:
        """Wait until so many of its tasks run."""
        wait_until(lambda: self.describe(name)["runningCount"] == count, what=f"{count} running tasks")

    def tasks(self, name: str = "shop", status: str = "RUNNING") -> list[str]:
        """The ARNs of its tasks."""
        return list(self.client.list_tasks(serviceName=name, desiredStatus=status)["taskArns"])

    def ask(self, service: dict[str, Any]) -> tuple[int, str]:
        """What the listener answers, status and text."""
        context = ssl.create_default_context(cafile=str(self.workbench.cloud.settings.ca_bundle))
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        try:
            with urllib.request.build_opener(*handlers).open(endpoint(service), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def answers(self, service: dict[str, Any], status: int = HTTPStatus.OK) -> str:
        """Wait until the listener answers so; the text."""
        found = wait_until(lambda: (got := self.ask(service))[0] == status and got, what=f"an answer {status}")
        return str(found[1])

    def images(self, **known: list[str]) -> None:
        """Have these images run these commands."""
        write_images(self.workbench.cloud.settings.state_dir / "images.json", known)


def write_images(file: Path, known: Mapping[str, Sequence[str]]) -> None:
    """Write what images run; the server reads the file at any time, and never finds half of it."""
    aside = file.with_suffix(".tmp")
    aside.write_text(json.dumps(known), encoding="utf-8")
    aside.replace(file)


def endpoint(service: dict[str, Any]) -> str:
    """Where a described service listens."""
    return str(service["activeConfigurations"][0]["ingressPaths"][0]["endpoint"])
