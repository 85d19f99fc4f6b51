"""Reading quotas and what is in use of them, each once a build."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from buildspecs.saas.provision.quotas import (
    BUILDS,
    FACTORY_BUILDS,
    FARGATE,
    PIPELINES,
    PROJECTS,
    QUARTERS_A_VCPU,
    ROLES,
    STACKS,
    TASKS_WHILE_RELEASING,
    Pool,
    Quota,
    Room,
    Unreadable,
)
from lambdas.common import clock
from lambdas.common.aws_errors import ignoring
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError

_READ_STACKS = ("cloudformation:DescribeAccountLimits", "cloudformation:ListStacks")
_READ_ROLES = ("iam:GetAccountSummary",)
_READ_TASKS = (
    "cloudwatch:GetMetricStatistics",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
)
# What is in use is told every minute, and late.
_RECENT = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class AccountUsage:
    """The accounts of the toolchain and of the components.

    `own` makes the client of a service in the toolchain's account and Region; elsewhere the lookup roles read.
    """

    account: str
    region: str
    own: Callable[[str], Any]
    lookup: LookupRoles
    _known: dict[Pool, Room | Unreadable] = field(default_factory=dict, init=False)

    def room(self, pool: Pool) -> Room | Unreadable:
        """What a pool allows and what is in use; it is read at most once."""
        if pool not in self._known:
            try:
                self._known[pool] = _READERS[pool.quota](self, pool)
            except (BotoCoreError, ClientError, GranaryError) as error:
                self._known[pool] = Unreadable(why=str(error))
        return self._known[pool]

    def _pipelines(self, pool: Pool) -> Room:
        used = _count(self.own("codepipeline"), "list_pipelines", "pipelines")
        return Room(allowed=self._allowed(pool.quota), used=used)

    def _projects(self, pool: Pool) -> Room:
        used = _count(self.own("codebuild"), "list_projects", "projects")
        return Room(allowed=self._allowed(pool.quota), used=used)

    def _builds(self, pool: Pool) -> Room:
        return Room(allowed=self._allowed(pool.quota))

    def _stacks(self, pool: Pool) -> Room:
        """CloudFormation tells its own limit, which needs no service beside it."""
        home = (pool.account, pool.region) == (self.account, self.region)
        cloudformation = self.own("cloudformation") if home else self._there("cloudformation", pool, _READ_STACKS)
        pages = cloudformation.get_paginator("describe_account_limits").paginate()
        limits = {limit["Name"]: int(limit["Value"]) for page in pages for limit in page["AccountLimits"]}
        if "StackLimit" not in limits:
            raise GranaryError("DescribeAccountLimits names no StackLimit")
        statuses = cloudformation.meta.service_model.shape_for("StackStatus").enum
        alive = [status for status in statuses if status != "DELETE_COMPLETE"]
        used = _count(cloudformation, "list_stacks", "StackSummaries", StackStatusFilter=alive)
        return Room(allowed=limits["StackLimit"], used=used)

    def _roles(self, pool: Pool) -> Room:
        summary = self._there("iam", pool, _READ_ROLES).get_account_summary()["SummaryMap"]
        return Room(allowed=int(summary["RolesQuota"]), used=int(summary["Roles"]))

    def _tasks(self, pool: Pool) -> Room:
        """What runs now stands twice while it is released; Service Quotas names the metric that tells what runs."""
        quota = _value(self._there("service-quotas", pool, _READ_TASKS), pool.quota)
        metric, used = quota.get("UsageMetric"), 0.0
        if metric:
            now = clock.now()
            points = self._there("cloudwatch", pool, _READ_TASKS).get_metric_statistics(
                Namespace=metric["MetricNamespace"],
                MetricName=metric["MetricName"],
                Dimensions=[{"Name": name, "Value": value} for name, value in metric["MetricDimensions"].items()],
                StartTime=now - _RECENT,
                EndTime=now,
                Period=int(_RECENT.total_seconds()),
                Statistics=["Maximum"],
            )["Datapoints"]
            used = max((point["Maximum"] for point in points), default=0.0)
        return Room(
            allowed=int(quota["Value"] * QUARTERS_A_VCPU),
            used=math.ceil(used * QUARTERS_A_VCPU) * TASKS_WHILE_RELEASING,
        )

    def _there(self, service: str, pool: Pool, allow: Sequence[str]) -> Any:
        return self.lookup.client(service, account=pool.account, region=pool.region or pool.via, allow=allow)

    def _allowed(self, quota: Quota) -> int:
        return int(_value(self.own("service-quotas"), quota)["Value"])


_READERS: Mapping[Quota, Callable[[AccountUsage, Pool], Room]] = {
    PIPELINES: AccountUsage._pipelines,
    PROJECTS: AccountUsage._projects,
    BUILDS: AccountUsage._builds,
    FACTORY_BUILDS: AccountUsage._builds,
    FARGATE: AccountUsage._tasks,
    STACKS: AccountUsage._stacks,
    ROLES: AccountUsage._roles,
}


def _value(quotas: Any, quota: Quota) -> Mapping[str, Any]:
    """The account's own value; a quota that nobody has touched may only have AWS's default."""
    code = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    found: dict[str, Any] = {}
    with ignoring("NoSuchResourceException"):
        found = quotas.get_service_quota(**code)["Quota"]
    return found or dict(quotas.get_aws_default_service_quota(**code)["Quota"])


def _count(client: Any, operation: str, key: str, **request: Any) -> int:
    pages = client.get_paginator(operation).paginate(**request)
    return sum(len(page[key]) for page in pages)
