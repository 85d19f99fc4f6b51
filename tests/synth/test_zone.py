"""The seam between the factory and the users' zone: what the zone is told, and what is added to any component."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

import component
from component import SPEC
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.place import PublishedPlace
from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import component_stack_name, deployment_of_pipeline
from lambdas.saas.model.record import DeploymentRecord, Size
from local_cloud.factory.workspace import Workspace
from local_cloud.factory.zone import NOTHING_RUNS, addition, parameter
from stacks.saas.component import ComponentProps, ComponentStage, check_stacks
from tests.local.saas import second_commit
from tests.local.saas.wave import ACME, BREAKS, MOVES
from tests.synth.configurations import deployed

RECORD = deployed(
    DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1", tags=(("team", "a"),))
)
PROPS = ComponentProps(settings=SPEC.settings.model_validate(NOTHING_RUNS), prefix="granary", qualifier="granary")


def tenant(**changes: Any) -> Tenant[Any]:
    given = {"id": "acme", "type": "silo", "account": "222222222222", "region": "eu-west-1", "is_standby": False}
    more = {"size": Size.SMALL, "tags": {}, "settings": PROPS.settings, "prefix": "granary", "qualifier": "granary"}
    told = {"parameters": dict(RECORD.parameters), "place": PublishedPlace()}
    return Tenant(**{**given, **more, **told, **changes})


def test_the_zone_is_read_without_starting_the_cdk() -> None:
    """The command line and every build read it, and Node takes seconds: import `aws_cdk` where stacks are made."""
    code = "import sys, component, config.loader; sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_added_to_a_component_comes_to_every_tenant_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given two commits that add something, whatever the component is, then its first stack has both."""
    zone: dict[str, Any] = {"build": component.build}
    for name in ("one", "two"):
        code = addition(parameter(name.capitalize(), name=f'f"/{{tenant.name}}/{name}"', value='"x"'))
        exec(compile(code, name, "exec"), zone)  # noqa: S102 - what the function above has written
    monkeypatch.setattr("stacks.saas.component.build", zone["build"])
    first, *_ = ComponentStage(cdk.App(), "Stage", record=RECORD, component=PROPS).stacks
    template = assertions.Template.from_stack(first)
    for name in ("one", "two"):
        template.has_resource_properties("AWS::SSM::Parameter", {"Name": f"/silo-acme/{name}", "Value": "x"})


def test_the_second_commit_of_the_scenarios_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it adds to two tenants' components is a text until a factory on the local cloud runs it."""
    zone = tmp_path / "component" / "__init__.py"
    zone.parent.mkdir()
    zone.write_text(Path(component.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    second_commit.change_components(Workspace(tmp_path))
    names: dict[str, Any] = {}
    exec(compile(zone.read_text(encoding="utf-8"), str(zone), "exec"), names)  # noqa: S102 - the zone, and what was added
    monkeypatch.setattr("stacks.saas.component.build", names["build"])
    found = {}
    for row in (MOVES, BREAKS, ACME):
        record = replace(RECORD, id=row.id, type=row.type, account=row.account, region=row.region)
        first, *_ = ComponentStage(cdk.App(), "Stage", record=record, component=PROPS).stacks
        parameters = assertions.Template.from_stack(first).find_resources("AWS::SSM::Parameter").values()
        found[row.id] = [one["Properties"]["Name"] for one in parameters]
    assert found == {MOVES.id: [second_commit.COMPONENT_PARAMETER], BREAKS.id: [second_commit.OBSTACLE], ACME.id: []}


def test_the_zone_is_told_which_tenant_and_place_it_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Tenant[Any]] = []
    monkeypatch.setattr("stacks.saas.component.build", lambda _, tenant: told.append(tenant))
    for is_standby in (False, True):
        ComponentStage(cdk.App(), "Stage", record=RECORD, component=PROPS, is_standby=is_standby)
    assert told == [tenant(tags={"team": "a"}), tenant(tags={"team": "a"}, is_standby=True)]
    assert [one.name for one in told] == ["silo-acme"] * 2


def test_a_component_without_stacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacks.saas.component.build", lambda *_: None)
    stage = ComponentStage(cdk.App(), "Stage", record=RECORD, component=PROPS)
    with pytest.raises(GranaryError, match="the component has no stack"):
        check_stacks(stage, RECORD)


def test_names_of_stacks_are_the_tenants_own() -> None:
    """No part makes the name of another tenant's stack, or of a pipeline."""
    assert tenant().stack_name() == component_stack_name("silo", "acme")
    assert tenant().stack_name("data") == "silo-acme-data"
    assert tenant(id="acme-data").stack_name() != tenant().stack_name("data")
    assert deployment_of_pipeline(tenant().stack_name("data")) is None


@pytest.mark.parametrize("part", ["pipeline", "resources", "data-resources", "Data", "1st", "a b", "x-pipeline"])
def test_a_part_that_makes_no_good_name_is_refused_and_told(part: str) -> None:
    with pytest.raises(GranaryError, match=f"a stack cannot be called silo-acme-{part}: use lower-case"):
        tenant().stack_name(part)
