"""Reading quotas: which calls are made, where, and what a refusal becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from buildspecs.saas.provision.quota_usage import AccountUsage
from buildspecs.saas.provision.quotas import (
    BUILDS,
    FARGATE,
    PIPELINES,
    PROJECTS,
    ROLES,
    STACKS,
    Pool,
    Quota,
    Room,
    Unreadable,
)
from lambdas.common.cross_account import LookupRoles

HOME = {"account": "111111111111", "region": "us-east-1"}
AWAY = {"account": "222222222222", "region": "eu-west-1"}
ROLE_POOL = Pool(quota=ROLES, account=AWAY["account"], region="", via=AWAY["region"])


def quota(value: float) -> dict[str, Any]:
    return {"Quota": {"Value": value}}


@dataclass
class Clients:
    """Stubbed clients by service; `made` are those that were made with a lookup role, `sessions` their policies."""

    stubs: dict[str, Stubber] = field(default_factory=dict)
    made: list[tuple[str, str]] = field(default_factory=list)
    sessions: list[Mapping[str, Any]] = field(default_factory=list)

    def stub(self, service: str) -> Stubber:
        if service not in self.stubs:
            client = boto3.client(  # type: ignore[call-overload]
                service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
            )
            self.stubs[service] = Stubber(client)
            self.stubs[service].activate()
        return self.stubs[service]

    def own(self, service: str) -> Any:
        return self.stub(service).client

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.sessions.append({"role": request["RoleArn"], **json.loads(request["Policy"])["Statement"][0]})
        return {"Credentials": {}}

    def make(self, service: str, *, region: str, credentials: Mapping[str, str]) -> Any:
        assert credentials == {}
        self.made.append((service, region))
        return self.stub(service).client

    def usage(self) -> AccountUsage:
        lookup = LookupRoles(sts=self, qualifier="granary", make_client=self.make)
        return AccountUsage(**HOME, own=self.own, lookup=lookup)


@pytest.fixture
def clients() -> Clients:
    return Clients()


def answer_stacks(clients: Clients) -> None:
    cloudformation = clients.stub("cloudformation")
    cloudformation.add_response(
        "describe_account_limits",
        {"AccountLimits": [{"Name": "ConcurrentResourcesLimit", "Value": 9}, {"Name": "StackLimit", "Value": 2000}]},
    )
    every: Any = cloudformation.client.meta.service_model.shape_for("StackStatus")
    statuses = [status for status in every.enum if status != "DELETE_COMPLETE"]
    summary = {"StackName": "s", "CreationTime": "2026-11-01T00:00:00Z", "StackStatus": "CREATE_COMPLETE"}

    def expect(summaries: int, **token: str) -> dict[str, Any]:
        return {"StackSummaries": [summary] * summaries, **token}

    cloudformation.add_response("list_stacks", expect(2, NextToken="n"), {"StackStatusFilter": statuses})
    cloudformation.add_response("list_stacks", expect(1), {"StackStatusFilter": statuses, "NextToken": "n"})


PAGES: dict[Quota, tuple[str, list[dict[str, Any]]]] = {
    PIPELINES: ("list_pipelines", [{"pipelines": [{}, {}], "nextToken": "n"}, {"pipelines": [{}]}]),
    PROJECTS: ("list_projects", [{"projects": ["a", "b"], "nextToken": "n"}, {"projects": ["c"]}]),
}


@pytest.mark.parametrize("counted", list(PAGES))
def test_every_page_is_counted(clients: Clients, counted: Quota) -> None:
    operation, pages = PAGES[counted]
    for page in pages:
        clients.stub(counted.service).add_response(operation, page)
    asked = {"ServiceCode": counted.service, "QuotaCode": counted.code}
    clients.stub("service-quotas").add_response("get_service_quota", quota(1000.0), asked)
    usage = clients.usage()
    assert usage.room(Pool(quota=counted, **HOME)) == Room(allowed=1000, used=3)
    assert usage.room(Pool(quota=counted, **HOME)) == Room(allowed=1000, used=3), "the stubs have no second answer"


def test_a_quota_that_nobody_touched_is_awss_default(clients: Clients) -> None:
    clients.stub("service-quotas").add_client_error("get_service_quota", "NoSuchResourceException")
    clients.stub("service-quotas").add_response("get_aws_default_service_quota", quota(20))
    assert clients.usage().room(Pool(quota=BUILDS, **HOME)) == Room(allowed=20)


def test_stacks_at_home_are_counted_by_the_build_itself(clients: Clients) -> None:
    answer_stacks(clients)
    assert clients.usage().room(Pool(quota=STACKS, **HOME)) == Room(allowed=2000, used=3)
    assert clients.made == []


def test_stacks_elsewhere_are_counted_with_a_session_that_can_do_nothing_else(clients: Clients) -> None:
    answer_stacks(clients)
    assert clients.usage().room(Pool(quota=STACKS, **AWAY)) == Room(allowed=2000, used=3)
    assert clients.made == [("cloudformation", "eu-west-1")]
    assert clients.sessions == [
        {
            "role": "arn:aws:iam::222222222222:role/granary/cdk-granary-lookup-role-222222222222-eu-west-1",
            "Effect": "Allow",
            "Action": ["cloudformation:DescribeAccountLimits", "cloudformation:ListStacks"],
            "Resource": ["*"],
        }
    ]


USAGE = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Service": "Fargate", "Resource": "vCPU"},
}


@pytest.mark.parametrize(("points", "used"), [([0.25, 1.6], 14), ([], 0)])
def test_what_runs_on_fargate_is_counted_twice(clients: Clients, points: list[float], used: int) -> None:
    asked = {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}
    answer = {"Quota": {"Value": 6.0, "UsageMetric": USAGE}}
    clients.stub("service-quotas").add_response("get_service_quota", answer, asked)
    statistics = {
        "Namespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "Dimensions": [{"Name": "Service", "Value": "Fargate"}, {"Name": "Resource", "Value": "vCPU"}],
        **dict.fromkeys(("StartTime", "EndTime", "Period"), ANY),
        "Statistics": ["Maximum"],
    }
    told = {"Datapoints": [{"Maximum": point} for point in points]}
    clients.stub("cloudwatch").add_response("get_metric_statistics", told, statistics)
    assert clients.usage().room(Pool(quota=FARGATE, **AWAY)) == Room(allowed=24, used=used)
    assert clients.made == [("service-quotas", "eu-west-1"), ("cloudwatch", "eu-west-1")]
    assert all("GetServiceQuota" in " ".join(session["Action"]) for session in clients.sessions)


def test_a_quota_without_a_metric_of_its_use_is_read_all_the_same(clients: Clients) -> None:
    clients.stub("service-quotas").add_response("get_service_quota", quota(1))
    assert clients.usage().room(Pool(quota=FARGATE, **AWAY)) == Room(allowed=4)


def test_roles_are_summed_up_by_iam(clients: Clients) -> None:
    clients.stub("iam").add_response("get_account_summary", {"SummaryMap": {"Roles": 12, "RolesQuota": 1000}})
    assert clients.usage().room(ROLE_POOL) == Room(allowed=1000, used=12)
    assert clients.made == [("iam", "eu-west-1")]
    assert [session["Action"] for session in clients.sessions] == [["iam:GetAccountSummary"]]


def test_the_roles_of_an_account_are_read_once_whatever_the_region(clients: Clients) -> None:
    clients.stub("iam").add_response("get_account_summary", {"SummaryMap": {"Roles": 12, "RolesQuota": 1000}})
    usage = clients.usage()
    elsewhere = Pool(quota=ROLES, account=AWAY["account"], region="", via="eu-central-1")
    assert usage.room(ROLE_POOL) == usage.room(elsewhere)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_what_cannot_be_read_says_why_and_is_not_asked_for_again(clients: Clients, code: str) -> None:
    clients.stub("service-quotas").add_client_error("get_service_quota", code, "not you")
    usage = clients.usage()
    room = usage.room(Pool(quota=BUILDS, **HOME))
    assert isinstance(room, Unreadable)
    assert code in room.why
    assert "not you" in room.why
    assert usage.room(Pool(quota=BUILDS, **HOME)) == room


def test_limits_without_a_number_of_stacks_are_not_taken_for_none(clients: Clients) -> None:
    clients.stub("cloudformation").add_response("describe_account_limits", {"AccountLimits": []})
    assert clients.usage().room(Pool(quota=STACKS, **HOME)) == Unreadable(
        why="DescribeAccountLimits names no StackLimit"
    )
