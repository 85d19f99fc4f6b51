"""A tenant whose name is taken by somebody else's stack."""

from __future__ import annotations

import json

from lambdas.saas.model.status import Phase
from local_cloud.factory.granary import Row
from tests.local.saas.factory import Factory

TAKEN = Row(id="taken", type="silo", region="us-east-1")
_TEMPLATE = {"Resources": {"Theirs": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}


def test_a_stack_of_somebody_else_is_not_deployed_over(factory: Factory) -> None:
    """Given a stack of the pipeline's name that is not ours, then the row says so, and once it is gone all is well."""
    cloudformation = factory.granary.client("cloudformation")
    theirs = cloudformation.create_stack(StackName=TAKEN.pipeline, TemplateBody=json.dumps(_TEMPLATE))["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(StackName=theirs, WaiterConfig={"Delay": 1})
    factory.put(TAKEN)
    status = factory.reaches(TAKEN.id, Phase.FAILED, reason=f"stack {TAKEN.pipeline} stands in the toolchain's account")
    assert status.pipeline_stack is None
    stack = factory.stack(TAKEN.pipeline)
    assert stack is not None
    assert (stack["StackId"], stack["StackStatus"]) == (theirs, "CREATE_COMPLETE")
    assert factory.pipeline(TAKEN.pipeline) is None

    cloudformation.delete_stack(StackName=theirs)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=theirs, WaiterConfig={"Delay": 1})
    factory.touch(TAKEN, note="it is gone")
    factory.leaves(TAKEN.id, Phase.FAILED)
    factory.active(TAKEN)
    ours = factory.stack(TAKEN.pipeline)
    assert ours is not None
    assert {"Key": "granary:factory", "Value": "granary"} in ours["Tags"]
