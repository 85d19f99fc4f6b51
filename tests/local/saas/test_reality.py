"""Reality differs from the record: one tenant's stack never stood, its pipeline goes, and then its account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from lambdas.common import clock, dynamo
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import HOME, WORKLOAD, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.settings import setting

REAL = Row(id="real", type="silo", region="us-east-1", ring="general")
# One more than may always go.
_EMPTIED = tuple(f"emptied{number}" for number in range(6))


@contextmanager
def no_resources(factory: Factory) -> Iterator[None]:
    """CloudFormation may make nothing, whatever the component has, until the block ends."""
    iam = factory.granary.client("iam", account=WORKLOAD)
    roles = [one["RoleName"] for one in iam.list_roles()["Roles"] if "cfn-exec-role" in one["RoleName"]]
    (role,) = [name for name in roles if name.endswith(HOME)]
    statement = {"Effect": "Deny", "NotAction": "ssm:GetParameters", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="test-reality", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="test-reality")


def test_a_component_that_never_stood_is_made_anew(factory: Factory) -> None:
    """Given a first creation that failed, then once its cause is gone the sweep has the stack made anew."""
    with no_resources(factory):
        factory.put(REAL)
        failed = factory.reaches(REAL.id, Phase.FAILED, reason="is not authorized to perform")
        stack = factory.component(REAL)
        assert stack is not None
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert factory.sweep()["lifecycle"] >= 1
    factory.leaves(REAL.id, Phase.FAILED)
    status = factory.active(REAL)[REAL.id]
    again = factory.component(REAL)
    assert again is not None
    assert (again["StackId"] != stack["StackId"], again["StackStatus"]) == (True, "CREATE_COMPLETE")
    assert (status.first_failure, failed.execution_id != status.execution_id) == ("", True)


def test_a_pipeline_stack_that_was_deleted_by_hand_comes_back(factory: Factory) -> None:
    """Given a tenant without its pipeline stack, then the next round has it back, and the component stays."""
    component, cloudformation = factory.component(REAL), factory.granary.client("cloudformation")
    cloudformation.delete_stack(StackName=REAL.pipeline)
    wait_until(
        lambda: True if factory.stack(REAL.pipeline) is None else None, seconds=PATIENCE_SECONDS, what="the stack to go"
    )
    assert factory.pipeline(REAL.pipeline) is None
    assert factory.sweep()["started"] >= 1

    def told() -> bool | None:
        pending = [event["reason"] for event in factory.told(REAL.id) if event["to"] == "PENDING"]
        return True if any("its pipeline is gone" in reason for reason in pending) else None

    # The status says so only until the build takes the row up.
    wait_until(told, seconds=PATIENCE_SECONDS, what="why the row is pending to be told")
    factory.active(REAL)
    assert factory.pipeline(REAL.pipeline) is not None
    assert factory.component(REAL) == component


def test_a_tenant_whose_account_has_left_the_configuration_can_be_retired(factory: Factory) -> None:
    """Given a row whose account the configuration does not have, then it ends what stands where it was recorded."""
    gone = replace(REAL, account="444444444444")
    factory.put(gone)
    factory.reaches(REAL.id, Phase.INVALID, reason="444444444444 is no workload account")
    assert factory.component(REAL) is not None
    assert factory.cli("retire", "--yes", REAL.id).returncode == 0

    def ended() -> Status | None:
        status = factory.granary.status(REAL.id)
        return status if status and status.phase in ENDED else None

    status = wait_until(ended, seconds=PATIENCE_SECONDS, what="the end of the tenant")
    assert (status.phase, status.warnings) == (Phase.RETIRED, ())
    assert (factory.component(REAL), factory.stack(REAL.pipeline)) == (None, None)


def test_many_rows_that_are_gone_retire_nobody(factory: Factory) -> None:
    """Given `on_row_removed: retire` and a table that was emptied, then no machine is started, and the log says why."""
    dynamodb = factory.granary.client("dynamodb")
    for name in _EMPTIED:
        item = {"id": name, "phase": "ACTIVE", "type": "silo", "build_id": "b", "updated_at": clock.stamp(clock.now())}
        dynamo.put(dynamodb, table=factory.names.status_table, item=item)
    try:
        with setting(factory.granary, factory.names.function("sweep"), ON_ROW_REMOVED="retire"):
            assert factory.sweep()["removed"] >= len(_EMPTIED)
        machines = factory.granary.client("stepfunctions")
        (arn,) = [
            one["stateMachineArn"]
            for one in machines.list_state_machines()["stateMachines"]
            if one["name"] == factory.names.lifecycle_machine
        ]
        started = [one["name"] for one in machines.list_executions(stateMachineArn=arn)["executions"]]
        assert not [name for name in started if name.startswith("emptied")]
        assert factory.logged(f"/aws/lambda/{factory.names.function('sweep')}", "nobody is retired for that")
    finally:
        for name in _EMPTIED:
            dynamodb.delete_item(TableName=factory.names.status_table, Key={"id": {"S": name}})
