"""Console links, partition by partition."""

from __future__ import annotations

import pytest

from lambdas.common.console import build_url, execution_url, machine_execution_url
from lambdas.common.partitions import partition_of

in_each_partition = pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-west-1", "console.aws.amazon.com"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("eusc-de-east-1", "console.amazonaws-eusc.eu"),
    ],
)


@in_each_partition
def test_the_link_leads_into_the_partitions_console(region: str, console: str) -> None:
    url = execution_url(pipeline="silo-a-pipeline", execution_id="e1", region=region)
    path = "codesuite/codepipeline/pipelines/silo-a-pipeline/executions/e1/timeline"
    assert url == f"https://{console}/{path}?region={region}"


@in_each_partition
def test_a_build_has_a_link(region: str, console: str) -> None:
    url = build_url("granary-provisioning:6a1f", region=region)
    path = "codesuite/codebuild/projects/granary-provisioning/build/granary-provisioning%3A6a1f/"
    assert url == f"https://{console}/{path}?region={region}"


@in_each_partition
def test_an_execution_of_a_machine_has_a_link_in_its_own_region(region: str, console: str) -> None:
    arn = f"arn:{partition_of(region)}:states:{region}:111111111111:execution:granary-release:abc123-0a1b2c3d-r2"
    url = f"https://{console}/states/home?region={region}#/v2/executions/details/{arn}"
    assert machine_execution_url(arn) == url


def test_without_a_known_console_there_is_no_link() -> None:
    assert execution_url(pipeline="p", execution_id="e", region="us-iso-east-1") == ""
    assert build_url("p:1", region="us-iso-east-1") == ""
    assert machine_execution_url("arn:aws-iso:states:us-iso-east-1:1:execution:m:e") == ""


@pytest.mark.parametrize("build_id", ["", "b1", ":1", "project:"])
def test_what_is_no_id_of_a_build_has_no_link(build_id: str) -> None:
    assert build_url(build_id, region="eu-west-1") == ""


@pytest.mark.parametrize(
    "arn", ["", "x", "arn:aws:states:eu-west-1:1:stateMachine:m:e", "arn:aws:sqs:eu-west-1:1:execution:m:e"]
)
def test_what_is_no_execution_of_a_machine_has_no_link(arn: str) -> None:
    assert machine_execution_url(arn) == ""


@pytest.mark.parametrize("name", ["a b", "a)[x](evil)", "a<b>", "a\nb"])
def test_no_id_breaks_out_of_its_link(name: str) -> None:
    """Ids come from tables that people write: a link must lead where it says."""
    for url in (
        build_url(f"{name}:1", region="eu-west-1"),
        machine_execution_url(f"arn:aws:states:eu-west-1:1:execution:m:{name}"),
    ):
        assert url
        assert not set(" <>()[]\n") & set(url)


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
