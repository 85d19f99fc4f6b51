"""A tenant whose name is taken by somebody else's stack."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import NAMES, WORKLOAD, Row
from tests.local.saas.factory import Factory
from tests.local.saas.permissions import without
from tests.local.saas.wave import EARLY

TAKEN = Row(id="taken", type="silo", region="us-east-1")
ADOPTED = Row(id="adopted", type="silo", region="us-east-1")
KEPT = Row(id="kept", type="silo", region="us-east-1")
_ANY = {"allow_adopt": {"BOOL": True}}
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


Template = dict[str, Any]


@pytest.fixture(scope="module")
def stack_of(factory: Factory) -> Callable[[Row, Callable[[Template], None]], str]:
    """Makes, as somebody else there, the stack that a tenant's component would be, but for a change."""
    factory.granary.deploy_workload_roles()
    factory.active(EARLY)
    there = factory.granary.client("cloudformation", account=WORKLOAD, region=EARLY.region)
    name = component_stack_name(EARLY.type, EARLY.id)
    text = json.dumps(there.get_template(StackName=name)["TemplateBody"])

    def make(row: Row, change: Callable[[Template], None]) -> str:
        template: Template = json.loads(text.replace(f"{EARLY.type}-{EARLY.id}", f"{row.type}-{row.id}"))
        change(template)
        client = factory.granary.client("cloudformation", account=WORKLOAD, region=row.region)
        made = client.create_stack(
            StackName=component_stack_name(row.type, row.id),
            TemplateBody=json.dumps(template),
            Tags=[{"Key": "owner", "Value": "somebody"}],
        )
        client.get_waiter("stack_create_complete").wait(StackName=made["StackId"], WaiterConfig={"Delay": 1})
        return str(made["StackId"])

    return make


def _of_type(template: Template, kind: str) -> str:
    found: list[str] = [key for key, resource in template["Resources"].items() if resource["Type"] == kind]
    if not found:
        pytest.skip(f"the component has no {kind}, of which the scenarios tell")
    return found[0]


def _without_task(template: Template) -> None:
    """What stands lacks a resource, which the component adds."""
    task = _of_type(template, "AWS::ECS::TaskDefinition")
    del template["Resources"][task]
    template["Outputs"] = {"Theirs": {"Value": "x"}}


def _with_more(template: Template) -> None:
    """What stands has a cluster of another name, and one that the component does not have."""
    _without_task(template)
    cluster = template["Resources"][_of_type(template, "AWS::ECS::Cluster")]
    cluster["Properties"]["ClusterName"] += "-theirs"
    second = {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": f"{cluster['Properties']['ClusterName']}-2"}}
    template["Resources"]["Second"] = second


def _refused(factory: Factory, row: Row) -> None:
    factory.put(row)
    status = factory.reaches(row.id, Phase.FAILED, reason="nothing tells whose it is")
    assert '"allow_adopt": {"BOOL": true}' in status.reason
    assert factory.pipeline(row.pipeline) is None


def test_a_stack_that_only_grows_is_adopted_by_consent(
    factory: Factory, stack_of: Callable[[Row, Callable[[Template], None]], str]
) -> None:
    """Given somebody's stack under a tenant's name, then it is refused, and with consent becomes the tenant's."""
    theirs = stack_of(ADOPTED, _without_task)
    _refused(factory, ADOPTED)
    factory.put_item({**ADOPTED.item(), **_ANY})
    factory.leaves(ADOPTED.id, Phase.FAILED)
    status = factory.active(ADOPTED)[ADOPTED.id]
    assert [ref.stack_id for ref in status.adopted] == [ref.stack_id for ref in status.component_stacks] == [theirs]
    assert status.adoption is None
    there = factory.granary.client("cloudformation", account=WORKLOAD, region=ADOPTED.region)
    assert _change_sets(there, ADOPTED) == []
    stack = there.describe_stacks(StackName=theirs)["Stacks"][0]
    tags = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}
    assert (tags["granary:deployment"], tags.get("owner")) == (ADOPTED.id, None)
    assert theirs in {line for told in factory.told(ADOPTED.id) for line in told["adopted"].splitlines()}
    factory.people_hear("has adopted a stack", ADOPTED.id)

    # The consent has done what it was for: without it nothing changes.
    execution = status.execution_id
    factory.put(ADOPTED)
    factory.stream_is_drained()
    after = factory.granary.status(ADOPTED.id)
    assert after is not None
    assert (after.phase, after.execution_id, after.adopted) == (Phase.ACTIVE, execution, status.adopted)


def test_a_stack_that_a_standing_tenant_meets_is_not_deployed_over(
    factory: Factory, stack_of: Callable[[Row, Callable[[Template], None]], str]
) -> None:
    """Given a standing tenant, and somebody's stack under a name that it is about to deploy, then nothing is deployed.

    With consent the pipeline itself asks what would change, and takes the stack over.
    """
    factory.put(ADOPTED)
    factory.active(ADOPTED)
    there = factory.granary.client("cloudformation", account=WORKLOAD, region=ADOPTED.region)
    name = component_stack_name(ADOPTED.type, ADOPTED.id)
    there.delete_stack(StackName=name)
    there.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    theirs = stack_of(ADOPTED, _without_task)
    factory.granary.client("codepipeline").start_pipeline_execution(name=ADOPTED.pipeline)
    # The stage rolls back by itself, and asks again: what it would go back to is not deployed either.
    refused = f"stage Deploy, action Whose: nothing is deployed: stack {name} stands in account {WORKLOAD}"
    status = factory.reaches(ADOPTED.id, Phase.FAILED, reason=f" failed: {refused}")
    assert status.reason.startswith(refused)
    assert "nothing tells whose it is" in status.reason
    stack = there.describe_stacks(StackName=name)["Stacks"][0]
    assert (stack["StackId"], stack["StackStatus"]) == (theirs, "CREATE_COMPLETE")
    assert {"Key": "owner", "Value": "somebody"} in stack["Tags"]
    assert there.list_change_sets(StackName=name)["Summaries"] == []
    # What nobody has deployed is not deleted with the tenant.
    assert theirs not in {ref.stack_id for ref in (*status.component_stacks, *status.further_stacks)}

    factory.put_item({**ADOPTED.item(), **_ANY, "note": {"S": "it stands already"}})
    factory.leaves(ADOPTED.id, Phase.FAILED)
    status = factory.active(ADOPTED)[ADOPTED.id]
    assert theirs in {ref.stack_id for ref in status.adopted}
    assert [ref.stack_id for ref in status.component_stacks] == [theirs]
    assert status.adoption is None
    assert _change_sets(there, ADOPTED) == []


def test_what_is_replaced_or_removed_waits_for_a_person(
    factory: Factory, stack_of: Callable[[Row, Callable[[Template], None]], str]
) -> None:
    """Given a stack of which something would go, then it waits for who has seen that, and for that very plan."""
    theirs = stack_of(KEPT, _with_more)
    _refused(factory, KEPT)
    with without(factory.granary, NAMES.adoption_role, "cloudformation:CreateChangeSet", account=WORKLOAD):
        factory.put_item({**KEPT.item(), **_ANY})
        factory.reaches(KEPT.id, Phase.FAILED, reason="not authorized to perform: cloudformation:CreateChangeSet")
    factory.put_item({**KEPT.item(), **_ANY, "note": {"S": "again"}})
    shown = _plan(factory.reaches(KEPT.id, Phase.FAILED, reason="to take over stack"))
    assert (shown.counts["replace"], shown.counts["remove"], shown.stops) == (1, 1, True)
    told = "\n".join(shown.changes)
    assert re.search(r"^replace: \w+ \(AWS::ECS::Cluster\) for ClusterName, in silo-kept-resources", told, re.MULTILINE)
    assert "remove: Second (AWS::ECS::Cluster)" in told
    there = factory.granary.client("cloudformation", account=WORKLOAD, region=KEPT.region)
    assert there.describe_stacks(StackName=theirs)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert _change_sets(there, KEPT) == []

    # What stands changes after somebody has looked: what was agreed to is another plan.
    template = there.get_template(StackName=theirs)["TemplateBody"]
    template["Resources"]["Third"] = json.loads(json.dumps(template["Resources"]["Second"]).replace("-2", "-3"))
    there.update_stack(StackName=theirs, TemplateBody=json.dumps(template))
    there.get_waiter("stack_update_complete").wait(StackName=theirs, WaiterConfig={"Delay": 1})
    factory.put_item({**KEPT.item(), "allow_adopt": {"S": shown.digest}})
    other = _plan(factory.reaches(KEPT.id, Phase.FAILED, reason=f"its allow_adopt names {shown.digest}"))
    assert (other.counts["remove"], other.digest != shown.digest) == (2, True)
    assert factory.pipeline(KEPT.pipeline) is None
    assert "Second" in {one["LogicalResourceId"] for one in _resources(there, theirs)}

    factory.put_item({**KEPT.item(), "allow_adopt": {"S": other.digest}})
    factory.leaves(KEPT.id, Phase.FAILED)
    status = factory.active(KEPT)[KEPT.id]
    assert [ref.stack_id for ref in status.component_stacks] == [theirs]
    assert not {"Second", "Third"} & {one["LogicalResourceId"] for one in _resources(there, theirs)}


def _plan(status: Status) -> AdoptionPlan:
    assert status.adoption is not None
    assert status.adoption.digest in status.reason
    return status.adoption


def _change_sets(client: Any, row: Row) -> list[dict[str, Any]]:
    found = client.list_change_sets(StackName=component_stack_name(row.type, row.id))["Summaries"]
    return [one for one in found if "adoption" in one["ChangeSetName"]]


def _resources(client: Any, stack: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return found
