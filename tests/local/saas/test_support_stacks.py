"""A support stack stands as long as a tenant's pipeline uses it, and goes with the last one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from buildspecs.saas.provision.support_stacks import DeployedSupport
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.status import Phase, StackRef, Status
from local_cloud.factory.granary import NAMES, TOOLCHAIN, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import forbidden

LODGER = Row(id="lodger", type="silo", region="us-east-1", ring="general")
TENANT = Row(id="subtenant", type="pool", region="us-east-1", ring="general")
ELSEWHERE = "eu-west-1"
NAME = f"{LODGER.pipeline}-support-{ELSEWHERE}"
_TEMPLATE = {
    "Resources": {
        "Note": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": f"/{NAME}/note", "Type": "String", "Value": "used by two pipelines"},
        }
    }
}


def support_stack(factory: Factory) -> dict[str, Any] | None:
    """The stack by its name; None when there is none."""
    return factory.stack(NAME, account=TOOLCHAIN, region=ELSEWHERE)


def recorded(factory: Factory, folder: Path) -> tuple[StackRef, ...]:
    """What a provisioning build records of an assembly that names the stack."""
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{TOOLCHAIN}/{ELSEWHERE}",
        "properties": {"stackName": NAME, "templateFile": "support.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"support": artifact}}), encoding="utf-8")
    deployed = DeployedSupport(
        cloudformation=lambda region: factory.granary.client("cloudformation", region=region), account=TOOLCHAIN
    )
    return deployed.of(LODGER.pipeline, folder)


def record(factory: Factory, row: Row, refs: tuple[StackRef, ...]) -> None:
    """Write support stacks into a status, as provisioning does."""
    written = [{"M": {key: {"S": value} for key, value in asdict(ref).items()}} for ref in refs]
    factory.granary.client("dynamodb").update_item(
        TableName=NAMES.status_table,
        Key={"id": {"S": row.id}},
        UpdateExpression="SET support_stacks = :refs",
        ConditionExpression="attribute_exists(id)",
        ExpressionAttributeValues={":refs": {"L": written}},
    )


def retire(factory: Factory, row: Row) -> Status:
    """Retire a tenant and wait for its end, or for the failure of that."""
    assert factory.cli("retire", "--yes", row.id).returncode == 0
    return stopped(factory, row)


def stopped(factory: Factory, row: Row) -> Status:
    """Wait until a retirement has ended or failed."""

    def found() -> Status | None:
        status = factory.granary.status(row.id)
        return status if status and (status.phase in ENDED or status.phase is Phase.FAILED) else None

    return wait_until(found, seconds=PATIENCE_SECONDS, what=f"the end of {row.id}")


@pytest.fixture(scope="module")
def shared(factory: Factory, wave: dict[str, Status], tmp_path_factory: pytest.TempPathFactory) -> StackRef:
    """A stack in another Region, recorded as the support of two tenants that stand."""
    factory.put(LODGER, TENANT)
    factory.active(LODGER, TENANT)
    cloudformation = factory.granary.client("cloudformation", region=ELSEWHERE)
    role = f"arn:aws:iam::{TOOLCHAIN}:role/cdk-hnb659fds-cfn-exec-role-{TOOLCHAIN}-{ELSEWHERE}"
    cloudformation.create_stack(StackName=NAME, TemplateBody=json.dumps(_TEMPLATE), RoleARN=role)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=NAME)
    refs = recorded(factory, tmp_path_factory.mktemp("assembly"))
    for row in (LODGER, TENANT):
        record(factory, row, refs)
    (ref,) = refs
    return ref


def test_who_retires_first_leaves_the_stack_to_the_others(factory: Factory, shared: StackRef) -> None:
    """Given two users of a stack, when one is retired, then nothing is left of it but the stack, as it was."""
    status = retire(factory, LODGER)
    assert (status.phase, status.warnings) == (Phase.RETIRED, ()), status.reason
    assert factory.stack(LODGER.pipeline) is None
    stack = support_stack(factory)
    assert stack is not None
    assert (stack["StackId"], stack["StackStatus"]) == (shared.stack_id, "CREATE_COMPLETE")
    assert factory.operations(shared.stack_id, region=ELSEWHERE) == ["CREATE_IN_PROGRESS"]


def test_the_last_user_may_not_end_without_it(factory: Factory, shared: StackRef) -> None:
    """Given a role that may not delete the stack, then the retirement fails, with the stack in its reason.

    In the toolchain's own account nothing is given up: a person can put it right.
    """
    everywhere = f"arn:aws:cloudformation:*:{TOOLCHAIN}:stack/{NAME}/*"
    with forbidden(factory.granary, NAMES.tenant_deploy_role, "cloudformation:DeleteStack", on=everywhere):
        status = retire(factory, TENANT)
    assert status.phase is Phase.FAILED
    assert shared.stack_id in status.reason
    assert factory.stack(TENANT.pipeline) is None
    assert support_stack(factory) is not None


def test_who_retires_last_takes_the_stack_along(factory: Factory, shared: StackRef) -> None:
    """Given the permission back, when the last user's retirement is tried again, then the stack is deleted."""
    done = factory.cli("retry", TENANT.id)
    assert done.returncode == 0, done.stderr
    factory.leaves(TENANT.id, Phase.FAILED)
    status = stopped(factory, TENANT)
    assert (status.phase, status.warnings) == (Phase.RETIRED, ()), status.reason
    assert support_stack(factory) is None
    assert factory.operations(shared.stack_id, region=ELSEWHERE) == ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"]
