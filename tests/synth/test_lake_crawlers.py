"""What the lake's own account has besides the ETL: crawlers of others' tables, and work groups of personas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.synth.assembly import Template, flat
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS
from tests.synth.iam import Toolchain

_LAKE, _REGION = WORKLOAD_ACCOUNTS[0], "us-east-1"
_CRAWLER, _CRAWLED = "granary-lake-dev-crawler-fleet", "granary-lake-dev-crawled"
_BUCKET = f"arn:aws:s3:::granary-lake-dev-conformed-{_LAKE}-{_REGION}"
_CATALOG = f"arn:aws:glue:{_REGION}:{_LAKE}"
_BUS = f"arn:aws:events:us-east-1:{TOOLCHAIN_ACCOUNT}:event-bus/granary-lifecycle"


@pytest.fixture(scope="module")
def template(templates_of: Callable[[str], list[Template]]) -> Template:
    (found,) = (one for one in templates_of("lake") if one.stack == "granary-lake-dev-etl")
    return found


@pytest.fixture(scope="module")
def roles(template: Template) -> Toolchain:
    return Toolchain(template=template)


@pytest.mark.parametrize(
    ("action", "on", "may"),
    [
        ("s3:GetObject", f"{_BUCKET}/domains/fleet/positions/a.parquet", True),
        ("s3:GetObject", f"{_BUCKET}/granary_lake_dev_conformed/green_trips/a.parquet", False),
        ("s3:PutObject", f"{_BUCKET}/domains/fleet/positions/a.parquet", False),
        ("glue:CreateTable", f"{_CATALOG}:table/granary_lake_dev_fleet/positions", True),
        ("glue:CreateTable", f"{_CATALOG}:table/granary_lake_dev_conformed/green_trips", False),
        ("glue:DeleteTable", f"{_CATALOG}:table/granary_lake_dev_fleet/positions", False),
        ("logs:PutLogEvents", f"arn:aws:logs:{_REGION}:{_LAKE}:log-group:/aws-glue/crawlers-role/a", True),
    ],
)
def test_a_crawler_reads_its_folder_and_tells_its_database(roles: Toolchain, action: str, on: str, may: bool) -> None:
    assert roles.allows(_CRAWLER, action, on) is may


def test_a_crawler_lists_nothing_but_its_folder(roles: Toolchain) -> None:
    for prefix, may in (("domains/fleet/", True), ("domains/", False), ("", False)):
        assert roles.allows(_CRAWLER, "s3:ListBucket", _BUCKET, {"s3:prefix": prefix}) is may


def test_a_crawler_is_encrypted_and_runs_when_its_domain_says(template: Template) -> None:
    ((_, crawler),) = template.resources("AWS::Glue::Crawler")
    properties = crawler["Properties"]
    (target,) = properties["Targets"]["S3Targets"]
    path = flat(target["Path"])
    assert path.endswith(f"-{_LAKE}-{_REGION}/domains/fleet/")
    # Folders of tables whose columns are alike are no partitions of one: the level of the bucket is 1.
    level = json.loads(properties["Configuration"])["Grouping"]["TableLevelConfiguration"]
    assert level == len(path.removeprefix("s3://").rstrip("/").split("/")) + 1
    assert properties["Schedule"] == {"ScheduleExpression": "cron(15 * * * ? *)"}
    ((security, encrypts),) = template.resources("AWS::Glue::SecurityConfiguration")
    assert set(encrypts["Properties"]["EncryptionConfiguration"]) == {"CloudWatchEncryption", "JobBookmarksEncryption"}
    assert properties["CrawlerSecurityConfiguration"] == {"Ref": security}


def _rule(template: Template, name: str) -> dict[str, Any]:
    (found,) = (
        rule["Properties"]
        for _, rule in template.resources("AWS::Events::Rule")
        if rule["Properties"].get("Name") == name
    )
    return dict(found)


def test_one_that_has_ended_is_told_to_the_factory_as_it_is(template: Template, roles: Toolchain) -> None:
    rule = _rule(template, _CRAWLED)
    assert rule["EventPattern"] == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Crawler State Change"],
        "detail": {"crawlerName": [{"prefix": "granary-lake-dev-crawler-"}], "state": ["Succeeded"]},
    }
    (target,) = rule["Targets"]
    assert flat(target["Arn"]).replace("${AWS::Partition}", "aws") == _BUS
    # Nothing of it is changed on the way: whose event it is, its sender cannot say.
    assert set(target) == {"Arn", "DeadLetterConfig", "Id", "RoleArn"}
    assert roles.allows(_CRAWLED, "events:PutEvents", _BUS)
    assert not roles.allows(_CRAWLED, "events:PutEvents", f"{_BUS}-other")
    for name, may in ((_CRAWLED, True), ("granary-lake-dev-crawl-failed", False)):
        arn = f"arn:aws:events:{_REGION}:{_LAKE}:rule/{name}"
        assert roles.trusts(_CRAWLED, "events.amazonaws.com", arn) is may


def test_the_factorys_bus_admits_that_role_and_its_events_alone(
    templates_of: Callable[[str], list[Template]],
) -> None:
    (governance,) = templates_of("lake-governance")
    ((_, policy),) = governance.resources("AWS::Events::EventBusPolicy")
    statement = policy["Properties"]["Statement"]
    told = json.loads(json.dumps(statement).replace("${AWS::Partition}", "aws"))
    assert flat(told["Principal"]["AWS"][0]).endswith(f":iam::{_LAKE}:root")
    ((role,), said) = (told["Condition"]["ArnEquals"]["aws:PrincipalArn"], told["Condition"]["StringEquals"])
    assert flat(role).endswith(f":iam::{_LAKE}:role/granary/lake/{_CRAWLED}")
    assert said == {"events:source": "aws.glue", "events:detail-type": "Glue Crawler State Change"}
    rule = _rule(governance, "granary-lake-governance-dev-crawled")
    assert (rule["EventPattern"]["account"], rule["EventPattern"]["source"]) == ([_LAKE], ["aws.glue"])
    assert json.loads(rule["Targets"][0]["Input"]) == {"account": _LAKE, "region": _REGION}


def test_one_that_has_failed_is_told_to_people(template: Template) -> None:
    (target,) = _rule(template, "granary-lake-dev-crawl-failed")["Targets"]
    ((topic, _),) = template.resources("AWS::SNS::Topic")
    assert target["Arn"] == {"Ref": topic}
    assert target["DeadLetterConfig"]
    assert "FAILED: `aws glue get-crawler" in target["InputTransformer"]["InputTemplate"]


def test_a_persona_that_reads_has_a_work_group_that_no_query_can_set_aside(template: Template) -> None:
    groups = {one["Properties"]["Name"]: one["Properties"] for _, one in template.resources("AWS::Athena::WorkGroup")}
    # The administrator reads no table.
    personas = ("analyst", "data_domain_engineer", "technical_user")
    assert set(groups) == {f"granary-lake-dev-{one}" for one in personas}
    for persona in personas:
        made = groups[f"granary-lake-dev-{persona}"]["WorkGroupConfiguration"]
        assert made["EnforceWorkGroupConfiguration"] is True
        assert made["PublishCloudWatchMetricsEnabled"] is True
        assert made["BytesScannedCutoffPerQuery"] == 100_000_000_000
        results = made["ResultConfiguration"]
        assert flat(results["OutputLocation"]).endswith(f"-data-{_LAKE}-{_REGION}/results/{persona}/")
        assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def test_results_do_not_stay(templates_of: Callable[[str], list[Template]]) -> None:
    (found,) = (one for one in templates_of("lake") if one.stack == "granary-lake-dev-infrastructure")
    kept = {
        rule["Prefix"]: (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        for _, bucket in found.resources("AWS::S3::Bucket")
        for rule in bucket["Properties"].get("LifecycleConfiguration", {}).get("Rules", ())
        if "Prefix" in rule
    }
    assert kept == {"temporary/": (1, 1), "results/": (7, 1)}
