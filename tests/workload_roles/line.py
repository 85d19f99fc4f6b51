"""A line of the table, and who may assume which role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from component import SPEC
from constructs_lib.common.workload_role import WorkloadRole

Call = Callable[[Callable[[str], Any]], object]


def _trusted(role: WorkloadRole) -> tuple[str, ...]:
    return (role.service,) if role.service else tuple(role.roles)


# The roles of the users' zone.
ZONE = {
    one.name: _trusted(one) for one in (make(f"granary-{purpose}") for purpose, make in SPEC.workload_roles.items())
}
# Roles of the toolchain's account that may assume each role; where nobody may, the service that does.
TRUST: dict[str, tuple[str, ...]] = {
    "granary-archive": ("granary-lifecycle",),
    "granary-adoption": ("granary-provisioning", "granary-pipeline-watch"),
    "granary-task-runner": ("granary-tasks",),
    **ZONE,
    "granary-lake-deploy": ("granary-lake-pipeline", "granary-lake-assets"),
    "granary-lake-publish": ("granary-lake-assets",),
    "granary-lake-execution": ("cloudformation.amazonaws.com",),
    "granary-lake-catalog-read": ("granary-lake-discover", "granary-lake-apply"),
    "granary-lake-catalog-admin": ("granary-lake-apply",),
    "granary-lake-data-access": ("lakeformation.amazonaws.com",),
    "granary-resilience-experiment": ("fis.amazonaws.com",),
    "granary-resilience-run": ("granary-resilience-runner",),
    "granary-delivery-deploy": ("granary-delivery-pipeline", "granary-delivery-assets"),
    "granary-delivery-publish": ("granary-delivery-assets",),
    "granary-delivery-execution": ("cloudformation.amazonaws.com",),
    "granary-delivery-repository-read": ("granary-delivery-pipeline", "granary-delivery-build"),
}
# Those that deploy into workload accounts.
ROOMS = ("lake", "delivery")


@dataclass(frozen=True, kw_only=True)
class Line:
    """Whether a role may do something: `on` is an ARN without its partition, `given` the keys of the request."""

    role: str
    may: bool
    action: str
    on: str
    given: Mapping[str, str] = field(default_factory=dict)
    call: Call | None = None
    why: str = ""

    def __str__(self) -> str:
        return f"{self.role} {'may' if self.may else 'may not'} {self.action} {self.on}"


def in_account(service: str, resource: str, region: str = "{region}") -> str:
    return f"{service}:{region}:{{account}}:{resource}"


def asked(role: str, may: bool, on: str, *actions: str, why: str, given: Mapping[str, str] | None = None) -> list[Line]:
    """Lines that only the policies are asked."""
    return [Line(role=role, may=may, action=action, on=on, given=given or {}, why=why) for action in actions]
