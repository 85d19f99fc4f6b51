"""What people do with the permissions of the lake: query in their persona's work group, and sign the monthly report."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from botocore.exceptions import ClientError

from lambdas.common import clock
from lambdas.lake.model.names import Zone
from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.granary import HOME, WORKLOAD
from local_cloud.factory.lake import ENVIRONMENT, LAKE, Lake
from local_cloud.factory.lake_people import People
from tests.local.lake.conftest import HOURLY
from tests.local.lake.governing import Governing
from tests.local.saas.permissions import acting_as, forbidden

_PAGE = (PROJECT_ROOT / "docs/lake/README.md").read_text(encoding="utf-8")
_GROUP = LAKE.part("analyst")
_TABLE = f"{LAKE.database(Zone.PURPOSE_BUILT)}.trips_by_zone"


def test_a_persona_queries_in_its_work_group(lake: Lake, people: People) -> None:
    """Given the policy of the page, then results are where the group has them, encrypted, and others are refused."""
    (policy,) = (one for one in re.findall(r"^```json\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL) if _GROUP in one)
    key = lake.client("kms").describe_key(KeyId=f"alias/{LAKE.part('data')}")["KeyMetadata"]["KeyId"]
    lake.client("iam").put_role_policy(
        RoleName="analyst", PolicyName=_GROUP, PolicyDocument=policy.replace("<key>", key)
    )
    assert people.read("teams/analyst", "sum(trips)", _TABLE, group=_GROUP) == [["5"]]
    bucket, s3 = f"{LAKE.part('data')}-{WORKLOAD}-{HOME}", lake.client("s3")
    results = s3.list_objects_v2(Bucket=bucket, Prefix="results/analyst/")["Contents"]
    assert {s3.head_object(Bucket=bucket, Key=one["Key"])["ServerSideEncryption"] for one in results} == {"aws:kms"}
    with pytest.raises(ClientError, match="AccessDenied"):
        people.read("trips-engineer", "sum(trips)", _TABLE, group=_GROUP)


def test_a_monthly_report_is_told_and_signed_once(lake: Lake, governing: Governing) -> None:
    month = clock.stamp(clock.now())[:7]
    governing.granary("report", ENVIRONMENT, wanted=3)
    lake.govern(report=month)
    assert lake.governed() == "Reported"
    governing.hears(f"report of {month}", f"granary lake report ENVIRONMENT --month {month} --sign")
    page = governing.granary("report", ENVIRONMENT, wanted=1)
    assert f"report of {month}" in page
    assert re.search(r"\| arn:aws:iam::\d+:role/teams/analyst \| location \| .* \| zone-reports \|", page), page
    signature = json.loads(lake.granary.cli("lake", "report", ENVIRONMENT, "--sign", "--json").stdout)
    assert signature["by"] == "root", "as the credentials say"
    assert "is signed already by root" in governing.granary("report", ENVIRONMENT, "--sign", wanted=5)


def test_the_hourly_rule_starts_a_run_with_its_own_role_alone(lake: Lake, governing: Governing) -> None:
    """The local cloud starts it whatever the role may do, so that this acts as the role."""
    (target,) = lake.granary.client("events").list_targets_by_rule(Rule=HOURLY)["Targets"]
    role = target["RoleArn"].rpartition("/")[2]
    states = acting_as(lake.granary, role)("stepfunctions")
    begin = partial(states.start_execution, stateMachineArn=target["Arn"], input=target["Input"])
    with (
        forbidden(lake.granary, role, "states:StartExecution", on="*"),
        pytest.raises(ClientError, match="AccessDenied"),
    ):
        begin()
    began = begin()["executionArn"]
    assert lake.runs_of_governance()[0]["executionArn"] == began
    assert lake.governed() == "As it should be"
    assert governing.last()
