"""What a tenant's build could try: nothing that it reaches is a way to the toolchain."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from lambdas.saas.model.status import Status
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN
from tests.local.saas.factory import Factory
from tests.local.saas.permissions import acting_as
from tests.local.saas.wave import ACME, BREAKS

Clients = Callable[[str], Any]

ARTIFACTS = NAMES.artifacts_bucket(TOOLCHAIN, HOME)
ASSETS = f"cdk-hnb659fds-assets-{TOOLCHAIN}-{HOME}"
_ROLE = f"arn:aws:iam::{TOOLCHAIN}:role"
EXECUTION = f"{_ROLE}/{NAMES.tenant_execution_role}"
ADMIN = f"{_ROLE}/cdk-hnb659fds-cfn-exec-role-{TOOLCHAIN}-{HOME}"
# What an attacker wants CloudFormation to make.
_BACKDOOR = json.dumps(
    {
        "Resources": {
            "Backdoor": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "backdoor",
                    "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"],
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}
                        ],
                    },
                },
            }
        }
    }
)


def denied(call: Callable[..., Any], **asked: Any) -> str:
    """Have a call refused; returns what was said."""
    with pytest.raises(ClientError) as refused:
        call(**asked)
    code, message = (refused.value.response["Error"][key] for key in ("Code", "Message"))
    assert code in ("AccessDenied", "AccessDeniedException", "403"), message
    return str(message)


@pytest.fixture
def synth(factory: Factory, wave: dict[str, Status]) -> Clients:
    """Clients of a tenant's synth, which runs whatever a dependency brings."""
    return acting_as(factory.granary, NAMES.tenant_synth_role)


@pytest.fixture
def self_mutation(factory: Factory, wave: dict[str, Status]) -> Clients:
    """Clients of a tenant's self-mutation, which runs whatever is in the assembly."""
    return acting_as(factory.granary, NAMES.self_mutation_role)


@pytest.fixture
def deploy(factory: Factory, self_mutation: Clients) -> Clients:
    """Clients of the role that deploys tenants' pipelines, as self-mutation gets them."""
    keys = self_mutation("sts").assume_role(RoleArn=f"{_ROLE}/{NAMES.tenant_deploy_role}", RoleSessionName="attack")
    return lambda service: factory.granary.cloud.client(service, TOOLCHAIN, HOME, keys["Credentials"])


def an_artifact(factory: Factory, pipeline: str) -> dict[str, str]:
    """Bucket and key of an artifact of a pipeline."""
    found = factory.granary.client("s3").list_objects_v2(Bucket=ARTIFACTS, Prefix=f"{pipeline[:20]}/")["Contents"]
    return {"Bucket": ARTIFACTS, "Key": found[0]["Key"]}


def test_a_synth_neither_reads_nor_overwrites_what_ci_cd_deploys(factory: Factory, synth: Clients) -> None:
    assert synth("s3").get_object(**an_artifact(factory, ACME.pipeline))["Body"].read()
    of_ci_cd = an_artifact(factory, NAMES.cicd_pipeline)
    denied(synth("s3").get_object, **of_ci_cd)
    denied(synth("s3").put_object, **of_ci_cd, Body=b"another toolchain")


def test_a_synth_assumes_no_role_that_deploys(synth: Clients) -> None:
    for role in (f"cdk-hnb659fds-deploy-role-{TOOLCHAIN}-{HOME}", NAMES.tenant_deploy_role):
        denied(synth("sts").assume_role, RoleArn=f"{_ROLE}/{role}", RoleSessionName="attack")


def test_self_mutation_overwrites_no_artifact(factory: Factory, self_mutation: Clients) -> None:
    for pipeline in (BREAKS.pipeline, NAMES.cicd_pipeline):
        denied(self_mutation("s3").put_object, **an_artifact(factory, pipeline), Body=b"another assembly")


@pytest.mark.parametrize("kind", ["deploy", "file-publishing", "image-publishing", "lookup", "cfn-exec"])
def test_self_mutation_assumes_no_bootstrap_role(self_mutation: Clients, kind: str) -> None:
    role = f"{_ROLE}/cdk-hnb659fds-{kind}-role-{TOOLCHAIN}-{HOME}"
    denied(self_mutation("sts").assume_role, RoleArn=role, RoleSessionName="attack")


@pytest.mark.parametrize("role", [EXECUTION, ADMIN, ""])
def test_no_change_is_made_to_the_toolchains_stack(deploy: Clients, role: str) -> None:
    passed = {"RoleARN": role} if role else {}
    change = {"StackName": NAMES.toolchain_stack, "TemplateBody": _BACKDOOR, **passed}
    denied(deploy("cloudformation").create_change_set, ChangeSetName="attack", **change)
    denied(deploy("cloudformation").update_stack, **change)
    denied(deploy("cloudformation").delete_stack, StackName=NAMES.toolchain_stack, **passed)


@pytest.mark.parametrize("role", [ADMIN, ""], ids=["the bootstrap's", "the one that it was deployed with"])
def test_a_tenants_stack_is_changed_with_no_other_role(deploy: Clients, role: str) -> None:
    """Given a stack of a tenant, when CloudFormation is to act with an administrator's rights, then it is refused."""
    passed = {"RoleARN": role} if role else {}
    change = {"StackName": ACME.pipeline, "TemplateBody": _BACKDOOR, **passed}
    said = denied(deploy("cloudformation").create_change_set, ChangeSetName="attack", **change)
    assert "cloudformation:CreateChangeSet" in said
    denied(deploy("cloudformation").delete_stack, StackName=ACME.pipeline, **passed)


def test_every_tenants_stack_was_deployed_with_its_own_role(factory: Factory, deploy: Clients) -> None:
    known = factory.stack(ACME.pipeline)
    assert known
    change = {"StackName": ACME.pipeline, "ChangeSetName": "allowed", "RoleARN": EXECUTION, "UsePreviousTemplate": True}
    assert deploy("cloudformation").create_change_set(**change)["Id"]
    deploy("cloudformation").delete_change_set(StackName=ACME.pipeline, ChangeSetName="allowed")


def test_no_asset_of_the_toolchain_is_overwritten(factory: Factory, deploy: Clients) -> None:
    for asset in factory.granary.client("s3").list_objects_v2(Bucket=ASSETS)["Contents"]:
        if not asset["Key"].startswith("tenants/"):
            denied(deploy("s3").put_object, Bucket=ASSETS, Key=asset["Key"], Body=b"another function")
            return
    pytest.fail(f"{ASSETS} has no asset of the toolchain")


def test_a_stack_of_a_tenants_name_makes_no_role(factory: Factory, deploy: Clients) -> None:
    """Given a template with a role in it, when it is deployed like a pipeline, then CloudFormation may not."""
    cloudformation, name = deploy("cloudformation"), "silo-attack-pipeline"
    change = {"StackName": name, "ChangeSetName": "attack"}
    cloudformation.create_change_set(
        **change,
        ChangeSetType="CREATE",
        TemplateBody=_BACKDOOR,
        RoleARN=EXECUTION,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(**change)
    cloudformation.execute_change_set(**change)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert any("iam:CreateRole" in event.get("ResourceStatusReason", "") for event in events)
    cloudformation.delete_stack(StackName=name, RoleARN=EXECUTION)
    with pytest.raises(factory.granary.client("iam").exceptions.NoSuchEntityException):
        factory.granary.client("iam").get_role(RoleName="backdoor")
