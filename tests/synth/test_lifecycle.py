"""The lifecycle machine, the roles for archives, and what templates declare stateful."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template as Assertions

from constructs_lib.saas.stateful import declare_stateful
from lambdas.common.stateful import STATEFUL_KINDS, Stateful
from tests.synth.assembly import Template, flat
from tests.synth.configurations import TOOLCHAIN_ACCOUNT

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
        ((_, role),) = template.resources("AWS::IAM::Role")
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert role["Properties"]["RoleName"] == "granary-archive"
        assert flat(trust["Condition"]["ArnEquals"]["aws:PrincipalArn"]).endswith(":role/granary-lifecycle")


@pytest.mark.parametrize("case", ["factory-codecommit", "factory-china"])
def test_an_organization_has_one_such_template_for_all_accounts(templates_of: Read, case: str) -> None:
    (template,) = [one for one in templates_of(case) if "workload-roles" in one.stack]
    assert template.stack == "granary-workload-roles"
    assert not re.search(r"[0-9]{12}", json.dumps(template.body).replace(TOOLCHAIN_ACCOUNT, ""))


@pytest.mark.parametrize("kind", sorted(STATEFUL_KINDS))
def test_what_is_declared_is_what_is_read(kind: str) -> None:
    stack = cdk.Stack(cdk.App(), "stack")
    declare_stateful(stack, "Orders", kind=kind, name="silo-acme-orders")  # type: ignore[arg-type]
    outputs = Assertions.from_stack(stack).to_json()["Outputs"]
    values = {key: output["Value"] for key, output in outputs.items()}
    assert Stateful.from_outputs(values) == (Stateful(kind=kind, name="silo-acme-orders"),)
