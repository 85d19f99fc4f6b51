"""The lifecycle machine, the roles for archives, and what templates declare stateful."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template as Assertions

from constructs_lib.saas.public_outputs import declare_public
from constructs_lib.saas.stateful import declare_stateful
from lambdas.saas.model.public_outputs import public_outputs
from lambdas.saas.model.stateful import STATEFUL_KINDS, Stateful
from tests.synth.assembly import Template, flat
from tests.synth.configurations import TOOLCHAIN_ACCOUNT
from tests.synth.iam import Toolchain
from tests.workload_roles.line import ZONE

Read = Callable[[str], list[Template]]


@pytest.fixture
def toolchain(templates_of: Read) -> Template:
    (template,) = [found for found in templates_of("factory-s3") if found.stack == "granary-toolchain"]
    return template


def test_the_machine_goes_round_until_its_function_says_that_it_is_done(toolchain: Template) -> None:
    (definition,) = [
        json.loads(flat(resource["Properties"]["DefinitionString"]))
        for _, resource in toolchain.resources("AWS::StepFunctions::StateMachine")
        if resource["Properties"]["StateMachineName"] == "granary-lifecycle"
    ]
    states = definition["States"]
    step = states[definition["StartAt"]]
    assert step["Parameters"]["Payload"] == {
        "execution.$": "$$.Execution.Name",
        "started.$": "$$.Execution.StartTime",
        "state.$": "$",
    }
    (over,) = states[step["Next"]]["Choices"]
    assert (over["Variable"], over["BooleanEquals"], states[over["Next"]]["Type"]) == ("$.done", True, "Succeed")
    wait = states[states[step["Next"]]["Default"]]
    assert (wait["SecondsPath"], wait["Next"]) == ("$.seconds", definition["StartAt"])


def test_whoever_starts_the_machine_knows_it(toolchain: Template) -> None:
    knows = {
        resource["Properties"]["FunctionName"]
        for _, resource in toolchain.resources("AWS::Lambda::Function")
        if "LIFECYCLE_MACHINE" in resource["Properties"].get("Environment", {}).get("Variables", {})
    }
    assert {"granary-onboard", "granary-sweep"} <= knows


def test_the_machine_deletes_the_logs_of_tenants_builds_alone(toolchain: Template) -> None:
    group = f"arn:aws:logs:{toolchain.region}:{toolchain.account}:log-group:/aws/codebuild/granary"
    role = Toolchain(template=toolchain)
    for name, allowed in {"silo-acme-synth": True, "pool-x-self-mutate:*": True, "provisioning": False}.items():
        assert role.allows("granary-lifecycle", "logs:DeleteLogGroup", f"{group}-{name}") is allowed


def test_a_tombstone_goes_by_itself(toolchain: Template) -> None:
    ttl = {
        resource["Properties"]["TableName"]: resource["Properties"].get("TimeToLiveSpecification")
        for _, resource in toolchain.resources("AWS::DynamoDB::Table")
    }
    assert ttl["granary-deployment-status"] == {"AttributeName": "expires_at", "Enabled": True}
    assert ttl["granary-deployments"] is None


def test_each_account_has_a_role_for_archives_that_trusts_one_role(templates_of: Read) -> None:
    found = [one for one in templates_of("factory-s3") if one.stack.startswith("granary-workload-roles-")]
    assert found
    for template in found:
        assert template.stack == f"granary-workload-roles-{template.account}"
        roles = {role["Properties"]["RoleName"]: role for _, role in template.resources("AWS::IAM::Role")}
        assert set(roles) == {"granary-adoption", "granary-archive", "granary-task-runner", *ZONE}
        (trust,) = roles["granary-archive"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert flat(trust["Condition"]["ArnEquals"]["aws:PrincipalArn"]).endswith(":role/granary-lifecycle")


@pytest.mark.parametrize("case", ["factory-codecommit", "factory-china"])
def test_an_organization_has_one_such_template_for_all_accounts(templates_of: Read, case: str) -> None:
    (template,) = [one for one in templates_of(case) if "workload-roles" in one.stack]
    assert template.stack == "granary-workload-roles"
    assert not re.search(r"[0-9]{12}", json.dumps(template.body).replace(TOOLCHAIN_ACCOUNT, ""))


@pytest.mark.parametrize("kind", sorted(STATEFUL_KINDS))
def test_what_is_declared_is_what_is_read(kind: str) -> None:
    stack = cdk.Stack(cdk.App(), "stack")
    s3.Bucket(stack, "Files", bucket_name="silo-acme-orders", removal_policy=cdk.RemovalPolicy.RETAIN)
    declare_stateful(stack, "Orders", kind=kind, name="silo-acme-orders")  # type: ignore[arg-type]
    outputs = Assertions.from_stack(stack).to_json()["Outputs"]
    values = {key: output["Value"] for key, output in outputs.items()}
    assert Stateful.from_outputs(values) == (Stateful(kind=kind, name="silo-acme-orders"),)


def test_what_is_declared_public_is_what_is_told() -> None:
    stack = cdk.Stack(cdk.App(), "stack")
    declare_public(stack, "Address", value="https://acme.example.com")
    cdk.CfnOutput(stack, "PublicAddress", value="another")
    outputs = Assertions.from_stack(stack).to_json()["Outputs"]
    told = public_outputs({key: output["Value"] for key, output in outputs.items()})
    assert told == ({"Address": "https://acme.example.com"}, ())


def test_a_name_that_would_not_be_told_cannot_be_declared_public() -> None:
    with pytest.raises(ValueError, match="has more than 64 characters: shorten it"):
        declare_public(cdk.Stack(cdk.App(), "stack"), "A" * 65, value="x")


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        (cdk.RemovalPolicy.RETAIN, True),
        (cdk.RemovalPolicy.RETAIN, False),
        (cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, True),
        (cdk.RemovalPolicy.DESTROY, True),
        (cdk.RemovalPolicy.DESTROY, False),
    ],
)
def test_a_bucket_that_its_stack_deletes_cannot_be_declared(policy: cdk.RemovalPolicy, named: bool) -> None:
    """Given another bucket that may go, then what counts is the one that is declared, by its name or by reference."""
    app = cdk.App()
    stack = cdk.Stack(app, "stack")
    name = "silo-acme-files" if named else None
    files = s3.Bucket(stack, "Files", bucket_name=name, removal_policy=policy)
    s3.Bucket(stack, "Cache", removal_policy=cdk.RemovalPolicy.DESTROY)
    declare_stateful(stack, "Files", kind="s3-bucket", name=name or files.bucket_name)
    if policy is cdk.RemovalPolicy.DESTROY:
        with pytest.raises(RuntimeError, match="declared stateful, and its stack deletes it"):
            app.synth()
    else:
        app.synth()


def test_a_bucket_of_another_stack_cannot_be_declared() -> None:
    app = cdk.App()
    files = s3.Bucket(cdk.Stack(app, "other"), "Files", removal_policy=cdk.RemovalPolicy.RETAIN)
    declare_stateful(cdk.Stack(app, "stack"), "Files", kind="s3-bucket", name=files.bucket_name)
    with pytest.raises(RuntimeError, match="or does not hold it: give it the removal policy RETAIN"):
        app.synth()
