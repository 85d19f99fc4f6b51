"""What a component declares around its deployment: where the pipeline runs it, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Template

from component import SPEC
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.tasks import declare_task
from constructs_lib.saas.tenant_pipeline import SharedToolchain
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.tasks import TASK_PREFIX, Asked, Declared, Ecs, Task
from local_cloud.factory.zone import NOTHING_RUNS
from stacks.buildspecs import commands_of
from stacks.saas.component import ComponentProps
from stacks.saas.tenant_pipeline import TenantPipelineStack
from tests.synth.asset_tenants import FILES
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, deployed

KEY = f"arn:aws:kms:eu-west-1:{TOOLCHAIN_ACCOUNT}:key/0a1b"
TASKS = f"arn:aws:lambda:us-east-1:{TOOLCHAIN_ACCOUNT}:function:granary-tasks"
WATCH = f"arn:aws:lambda:us-east-1:{TOOLCHAIN_ACCOUNT}:function:granary-pipeline-watch"
Build = Callable[[cdk.Stage, Tenant[Any]], None]


@pytest.fixture
def synthesize(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Template]:
    """Synthesize a tenant's pipeline whose component is made by a function."""

    def make(
        build: Build, *, release_minutes: int = 1_440, standby_region: str = "", after_minutes: int = 0
    ) -> Template:
        monkeypatch.setattr("stacks.saas.component.build", build)
        names, record = SaasNames(prefix="granary"), replace(FILES, standby_region=standby_region)
        keys = dict.fromkeys({FILES.region, "us-east-1", *filter(None, [standby_region])}, KEY)
        stack = TenantPipelineStack(
            cdk.App(),
            env=cdk.Environment(account=TOOLCHAIN_ACCOUNT, region="us-east-1"),
            record=record,
            deployed=deployed(record),
            shared=SharedToolchain(names=names, artifact_keys=keys, cli_version="2"),
            synth=commands_of("saas", "tenant_synth"),
            component=ComponentProps(settings=SPEC.settings(**NOTHING_RUNS), prefix="granary", qualifier="granary"),
            release_minutes=release_minutes,
            tags={},
            watch_arn=WATCH,
            tasks_arn=TASKS,
            after_minutes=after_minutes,
        )
        return Template.from_stack(stack)

    return make


def _stacks(stage: cdk.Stage, tenant: Tenant[Any]) -> tuple[cdk.Stack, cdk.Stack]:
    made = [
        cdk.Stack(stage, part or "Service", stack_name=tenant.stack_name(part), synthesizer=tenant.synthesizer())
        for part in ("data", "")
    ]
    for stack in made:
        sns.CfnTopic(stack, "Topic")
    return made[0], made[1]


def _with_tasks(rollback: Any = "") -> Build:
    def build(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        data, service = _stacks(stage, tenant)
        topic = cdk.Stack.of(data).get_logical_id(data.node.find_child("Topic"))  # type: ignore[arg-type]
        ecs = Ecs(cluster="silo-files", definition=cdk.Fn.ref(topic), subnets=("subnet-1",))
        declare_task(data, "Migrate", before=service, ecs=ecs, rollback=rollback)
        declare_task(data, "Announce", before=service, function="silo-files-announce")
        declare_task(service, "Check", build="silo-files-check", minutes=90)

    return build


def _stage(template: Template) -> Mapping[str, Any]:
    ((_, pipeline),) = template.find_resources("AWS::CodePipeline::Pipeline").items()
    found: Mapping[str, Any] = pipeline["Properties"]["Stages"][-1]
    return found


def _order(stage: Mapping[str, Any]) -> dict[str, int]:
    return {action["Name"]: action["RunOrder"] for action in stage["Actions"]}


def test_tasks_run_around_the_stacks_that_they_are_about(synthesize: Callable[[Build], Template]) -> None:
    """Given tasks before and after a stack, then the pipeline has an action for each, and waits for it."""
    template = synthesize(_with_tasks())
    stage = _stage(template)
    order = _order(stage)
    announce, migrate, check = (
        next(order[name] for name in order if name.endswith(end))
        for end in ("before-Announce", "before-Migrate", "after-Check")
    )
    data = [order[f"silo-files-data.{step}"] for step in ("Prepare", "Deploy")]
    service = [order[f"silo-files-resources.{step}"] for step in ("Prepare", "Deploy")]
    # First of all it is asked whose the stacks are.
    assert [order["Whose"], *data, announce, migrate, *service, check] == sorted(order.values()) == list(range(1, 9))
    assert stage["OnFailure"] == {"Result": "ROLLBACK"}
    assert not template.find_resources("AWS::IAM::Role")


def test_an_action_says_whom_and_what_it_asks_for(synthesize: Callable[[Build], Template]) -> None:
    stage = _stage(synthesize(_with_tasks("never")))
    asked = {
        one.task: one
        for action in stage["Actions"]
        if action["ActionTypeId"]["Provider"] == "Lambda" and action["Name"] != "Whose"
        for one in [Asked.of_parameters(json.loads(action["Configuration"]["UserParameters"]))]
    }
    assert set(asked) == {"Announce", "Check", "Migrate"}
    migrate = asked["Migrate"]
    assert (migrate.deployment, migrate.account, migrate.region) == (FILES.id, FILES.account, FILES.region)
    assert (migrate.stage, migrate.stack, migrate.of) == ("Deploy", "silo-files-data", "silo-files-resources")
    assert migrate.execution == "#{codepipeline.PipelineExecutionId}"
    assert (migrate.forward_only, asked["Check"].forward_only) == (True, False)
    assert all(len(action["Configuration"].get("UserParameters", "")) <= 1000 for action in stage["Actions"])


def test_where_a_task_leads_nowhere_back_the_pipeline_rolls_nothing_back(
    synthesize: Callable[[Build], Template],
) -> None:
    """Given a task that is forward-only, then no stage of the pipeline is rolled back by CodePipeline."""
    assert "OnFailure" not in _stage(synthesize(_with_tasks("never")))


def test_what_runs_is_in_an_output_that_the_function_reads() -> None:
    """Given a task of what the stack makes, then its output is JSON once the stack is deployed."""
    stack = cdk.Stack()
    ecs = Ecs(cluster="c", definition="d", subnets=("subnet-1", "subnet-2"), public_ip=True)
    output = declare_task(stack, "Migrate", ecs=ecs, minutes=30)
    value = stack.resolve(output.value)
    assert Task.of_output("Migrate", {"GranaryTaskMigrate": value}, stack="s") == Task(minutes=30, ecs=ecs)


@pytest.mark.parametrize("kind", [list, tuple])
def test_subnets_that_only_a_deployment_knows_need_no_function(kind: Callable[[list[str]], Any]) -> None:
    """Given a landing zone's subnets, then the output is JSON that CloudFormation writes by itself, and names each."""
    stack = cdk.Stack()
    subnets = ssm.StringListParameter.value_for_typed_list_parameter(stack, "/landing/subnets")
    output = declare_task(stack, "Migrate", ecs=Ecs(cluster="c", definition="d", subnets=kind(subnets)))
    template = Template.from_stack(stack).to_json()
    assert "Resources" not in template
    parts = stack.resolve(output.value)["Fn::Join"][1]
    told = "".join(one if isinstance(one, str) else "subnet-1,subnet-2" for one in parts)
    read = Task.of_output("Migrate", {"GranaryTaskMigrate": told}, stack="s").ecs
    assert read
    assert read.network["subnets"] == ["subnet-1", "subnet-2"]


def test_a_task_before_its_own_stack_is_refused() -> None:
    """Given a task that is to run before the stack that makes it, then the synth says where to put it."""
    stack = cdk.Stack(stack_name="silo-acme-resources")
    with pytest.raises(ValueError, match=r"before stack silo-acme-resources, in which it is declared.*stack_name"):
        declare_task(stack, "Migrate", before=stack, build="silo-acme-migrate")


def test_a_task_that_no_pipeline_would_run_is_refused(synthesize: Callable[[Build], Template]) -> None:
    """Given a nested stack, or one of which the stage knows nothing, then the synth fails; no migration is left out."""

    def nested(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        data, service = _stacks(stage, tenant)
        declare_task(cdk.NestedStack(data, "Schema"), "Migrate", before=service, build="silo-files-migrate")

    def elsewhere(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        data, _ = _stacks(stage, tenant)
        data.node.add_metadata(
            TASK_PREFIX,
            Declared(name="Migrate", when="before", stack=data.stack_name, of="silo-files-other").to_json(),
        )

    with pytest.raises(ValueError, match=r"in a nested stack.*declare it in silo-files-data"):
        synthesize(nested)
    with pytest.raises(ValueError, match="before silo-files-other, and stage Deploy deploys silo-files-data, silo-"):
        synthesize(elsewhere)


@pytest.mark.parametrize(("standby", "minutes"), [("", 50), ("eu-central-1", 100)])
def test_tasks_that_may_take_longer_than_a_release_waits_are_refused(
    synthesize: Callable[..., Template], standby: str, minutes: int
) -> None:
    """Given tasks that run one after the other and others beside them, then the longest line of them counts; a
    standby's come after the primary's."""

    def build(stage: cdk.Stage, tenant: Tenant[Any]) -> None:
        data, service = _stacks(stage, tenant)
        aside = cdk.Stack(stage, "Aside", stack_name=tenant.stack_name("aside"), synthesizer=tenant.synthesizer())
        sns.CfnTopic(aside, "Topic")
        declare_task(data, "Look", build="silo-files-look", minutes=5)
        declare_task(data, "Migrate", before=service, build="silo-files-migrate", minutes=20)
        declare_task(service, "Check", build="silo-files-check", minutes=15)
        declare_task(service, "Tell", function="silo-files-tell")
        declare_task(aside, "Count", build="silo-files-count", minutes=40)

    synthesize(build, release_minutes=minutes + 1, standby_region=standby)
    said = (
        f"silo files may take {minutes} minutes, .* for {minutes}, its deployment included: give them fewer `minutes`"
    )
    with pytest.raises(ValueError, match=said):
        synthesize(build, release_minutes=minutes, standby_region=standby)
    # What a ring's experiment may take comes after them.
    synthesize(build, release_minutes=minutes + 31, standby_region=standby, after_minutes=30)
    with pytest.raises(ValueError, match=f"{minutes} minutes, .* after them 30, and a release waits .* {minutes + 30}"):
        synthesize(build, release_minutes=minutes + 30, standby_region=standby, after_minutes=30)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "name one of"),
        ({"function": "f", "build": "b"}, "name one of"),
        ({"function": "f", "minutes": 15}, "1 to 14 minutes, not 15; what takes longer is an ECS task or a build"),
        ({"build": "b", "minutes": 0}, "1 to 720 minutes"),
        ({"build": "b", "rollback": "always"}, "`never` or nothing"),
    ],
)
def test_a_declaration_that_cannot_be_run_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        declare_task(cdk.Stack(), "Migrate", **given)


@pytest.mark.parametrize("name", ["migrate", "Two-words", "", "M" * 41])
def test_names_are_fit_for_outputs_and_actions(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a task"):
        declare_task(cdk.Stack(), name, build="b")
