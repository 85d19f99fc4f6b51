"""Console links, partition by partition."""

from __future__ import annotations

import pytest

from lambdas.common.console import execution_url
from lambdas.common.partitions import partition_of


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-west-1", "console.aws.amazon.com"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("eusc-de-east-1", "console.amazonaws-eusc.eu"),
    ],
)
def test_the_link_leads_into_the_partitions_console(region: str, console: str) -> None:
    url = execution_url(pipeline="silo-a-pipeline", execution_id="e1", region=region)
    path = "codesuite/codepipeline/pipelines/silo-a-pipeline/executions/e1/timeline"
    assert url == f"https://{console}/{path}?region={region}"


def test_without_a_known_console_there_is_no_link() -> None:
    assert execution_url(pipeline="p", execution_id="e", region="us-iso-east-1") == ""


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("us-iso-west-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
    ],
)
def test_the_region_tells_the_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition
