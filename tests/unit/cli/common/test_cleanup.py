"""`rooms` and `cleanup` against stacks and pipelines of moto's."""

from __future__ import annotations

import json
import shutil
from typing import Any

import boto3
import pytest

from cli.common import cleanup
from config.loader import CONFIG_DIR
from stacks.room import Room
from tests.unit.cli.saas.factory import ACCOUNT, REGION, TRUST, Factory, make_pipeline

KEPT = {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain", "Properties": {"TopicName": "kept"}}
GONE = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "gone"}}
_SUMMARIES = "StackResourceSummaries"


@pytest.fixture
def cloudformation(factory: Factory) -> Any:
    """CloudFormation, in which the room `lab` (that this source does not have) has two stacks, the second newer."""
    client = boto3.client("cloudformation", region_name=REGION)
    for name, resources in (("granary-lab", {"Kept": KEPT}), ("granary-lab-edge", {"Gone": GONE, "Greet": _greet()})):
        _create(client, name, "granary/lab", resources)
    _create(client, "other-lab", "other/lab", {"Gone": {"Type": "AWS::SNS::Topic"}})
    # Whoever may tag a stack has these: a row's tags reach a component, and the configuration's every stack.
    for name in ("granary-toolchain", "silo-acme-resources"):
        _create(client, name, "granary/lab", {"Topic": {"Type": "AWS::SNS::Topic"}})
    return client


def _greet() -> dict[str, Any]:
    """A function whose name is not what a room's would be called: what counts is what the stack holds."""
    boto3.client("iam", region_name=REGION).create_role(RoleName="greet", AssumeRolePolicyDocument=json.dumps(TRUST))
    properties = {
        "FunctionName": "granary-lab-greet",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/greet",
        "Code": {"ZipFile": "def handler(event, context): pass"},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def _create(client: Any, name: str, tag: str, resources: dict[str, Any], *, order: str = "") -> None:
    template = {"Resources": resources}
    tags = [{"Key": "granary:room", "Value": tag}, *([{"Key": "granary:order", "Value": order}] if order else [])]
    client.create_stack(StackName=name, TemplateBody=json.dumps(template), Tags=tags)


def test_rooms_are_listed_with_what_they_have_left(factory: Factory, cloudformation: Any) -> None:
    listed = {room["room"]: room for room in factory.granary("rooms", "--json").document}
    assert listed["saas"] == {"room": "saas", "state": "on", "stacks": []}
    assert listed["lab"]["state"] == "not in this source"
    assert {stack["stack"] for stack in listed["lab"]["stacks"]} == {"granary-lab", "granary-lab-edge"}
    assert "left behind: `granary cleanup lab`" in factory.granary("rooms").stdout


def test_a_room_is_on_while_a_part_of_it_is(factory: Factory, aws: None) -> None:
    shutil.copy(CONFIG_DIR / "examples" / "all" / "failover.yaml", factory.directory)
    listed = {room["room"]: room["state"] for room in factory.granary("rooms", "--json").document}
    assert listed["resilience"] == "on"
    refused = factory.granary("cleanup", "resilience", "--yes")
    assert refused.code == 5
    assert "room resilience is on: remove config/failover.yaml, push that" in refused.stderr


def test_stacks_go_newest_first_and_what_they_keep_is_named(factory: Factory, cloudformation: Any) -> None:
    done = factory.granary("cleanup", "lab", "--yes", "--json")
    assert done.code == 0, done.stderr
    assert [stack["stack"] for stack in done.document["deleted"]] == ["granary-lab-edge", "granary-lab"]
    (kept,) = done.document["kept"]
    assert (kept["stack"], kept["type"], kept["region"]) == ("granary-lab", "AWS::SNS::Topic", REGION)
    left = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
    assert left == ["other-lab", "granary-toolchain", "silo-acme-resources"]
    assert factory.granary("cleanup", "lab", "--yes").code == 3


_GREET = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:granary-lab-greet"


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        (
            ("granary-cicd", "CloudFormation", {"StackName": "granary-lab-edge"}),
            "CI/CD still deploys granary-lab-edge",
        ),
        (("silo-acme-pipeline", "Lambda", {"FunctionName": "granary-lab-greet"}), "invoke functions of room lab"),
        (("silo-acme-pipeline", "Lambda", {"FunctionName": _GREET}), "(silo-acme-pipeline)"),
    ],
)
def test_a_room_that_is_used_stays(
    factory: Factory, cloudformation: Any, pipeline: tuple[str, str, dict[str, str]], said: str
) -> None:
    name, provider, settings = pipeline
    make_pipeline(name, configuration=settings, provider=provider)
    refused = factory.granary("cleanup", "lab", "--yes")
    assert refused.code == 5
    assert said in " ".join(refused.stderr.split())
    assert len(cloudformation.describe_stacks()["Stacks"]) == 5


def test_functions_and_stacks_of_others_are_nobodys_business(factory: Factory, cloudformation: Any) -> None:
    make_pipeline("granary-cicd", configuration={"StackName": "granary-laboratory"}, provider="CloudFormation")
    make_pipeline("pool-x-pipeline", configuration={"FunctionName": "granary-laboratory-greet"}, provider="Lambda")
    assert factory.granary("cleanup", "lab", "--yes").code == 0


def test_a_room_that_is_on_stays(factory: Factory, cloudformation: Any) -> None:
    refused = factory.granary("cleanup", "saas", "--yes")
    assert (refused.code, "room saas is always on" in refused.stderr) == (5, True)


def test_only_a_room_that_says_so_is_always_on(
    factory: Factory, cloudformation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a room of this source that is off, then what it has left can go."""
    monkeypatch.setattr(cleanup, "NAMES", ("lab",))
    monkeypatch.setattr(cleanup, "rooms", lambda: (Room(name="lab"),))
    assert "lab: off" in factory.granary("rooms").stdout
    assert factory.granary("cleanup", "lab", "--yes").code == 0


def test_nothing_goes_without_consent(factory: Factory, cloudformation: Any) -> None:
    refused = factory.granary("cleanup", "lab")
    assert (refused.code, "say --yes" in refused.stderr) == (2, True)
    assert "kept: AWS::SNS::Topic" in refused.stderr
    assert len(cloudformation.describe_stacks()["Stacks"]) == 5


def test_what_depends_on_another_goes_before_it_whichever_is_older(factory: Factory) -> None:
    client = boto3.client("cloudformation", region_name=REGION)
    for name, order in (("granary-lab", "1"), ("granary-lab-storage", "0")):
        _create(client, name, "granary/lab", {"Gone": {"Type": "AWS::SNS::Topic"}}, order=order)
    done = factory.granary("cleanup", "lab", "--yes", "--json").document
    assert [stack["stack"] for stack in done["deleted"]] == ["granary-lab", "granary-lab-storage"]


def test_what_is_kept_is_named_with_its_region(factory: Factory, cloudformation: Any) -> None:
    """Given stacks in two Regions that keep something, then each is told with where it is: a key's id does not say."""
    abroad = boto3.client("cloudformation", region_name="eu-west-1")
    key = {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "Properties": {"KeyPolicy": {"Statement": []}}}
    _create(abroad, "granary-lab", "granary/lab", {"Key": key})
    (id_,) = [one["PhysicalResourceId"] for one in abroad.list_stack_resources(StackName="granary-lab")[_SUMMARIES]]
    done = factory.granary("cleanup", "lab", "--region", "eu-west-1", "--yes")
    assert done.code == 0
    said = [line.strip() for line in done.stderr.splitlines()]
    assert f"kept: AWS::KMS::Key {id_} in eu-west-1" in said
    assert next(line for line in said if line.startswith("kept: AWS::SNS::Topic")).endswith(f":kept in {REGION}")
    assert f"AWS::KMS::Key {id_} in eu-west-1" in " ".join(done.stdout.split())
