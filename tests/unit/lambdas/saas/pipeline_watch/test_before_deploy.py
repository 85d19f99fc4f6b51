"""Whose the stacks are that a stage is about to deploy: asked of each, and answered by tags and by what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdas.common.cloud_assembly import AssembledStack
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.common.pipeline_jobs import Later
from lambdas.saas.model.adoption import ANY, AdoptionPlan, StackChanges
from lambdas.saas.model.asking import BeforeStage
from lambdas.saas.model.next_steps import step_of
from lambdas.saas.model.status import Phase, Placement, StackRef, Status
from lambdas.saas.pipeline_watch.before_deploy import BeforeDeploy, Named, StandingStacks
from tests.unit.lambdas.saas.fakes import START

ACCOUNT, REGION = "222222222222", "eu-west-1"
FACTORY = "granary/111111111111/us-east-1"
MAIN, DATA = "silo-acme-resources", "silo-acme-data"
GIVEN = {
    "deployment": "acme",
    "type": "silo",
    "account": ACCOUNT,
    "region": REGION,
    "stacks": "resources,data",
    "execution": "e1",
}
OURS = {"granary:factory": FACTORY, "granary:deployment": "acme"}


def stack_id(name: str, unique: str = "1") -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{unique}"


def standing(name: str, unique: str = "1", **tags: str) -> dict[str, Any]:
    told = [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
    return {"StackId": stack_id(name, unique), "StackStatus": "CREATE_COMPLETE", "Tags": told}


def ref(name: str, unique: str = "1") -> StackRef:
    return StackRef(kind="component", stack_id=stack_id(name, unique), account=ACCOUNT, region=REGION)


@dataclass
class World:
    """A tenant that stands, and the stacks in its place by name."""

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, tuple[StackRef, ...]] = field(default_factory=dict)
    failure: Exception | None = None
    looked: list[str] = field(default_factory=list)
    consents: str = ""
    removes: bool = False
    untold: str = ""
    assembled: tuple[str, ...] = (MAIN, DATA)
    spoilt: bool = False
    shown: list[AdoptionPlan | None] = field(default_factory=list)
    adopted: list[StackRef] = field(default_factory=list)

    def get(self, deployment_id: str) -> Status | None:
        placed = (Placement(type="silo", account=ACCOUNT, region=REGION),)
        status = Status(id="acme", type="silo", phase=Phase.UPDATING, placed=placed, **self.known)  # type: ignore[arg-type]
        return status if deployment_id == "acme" else None

    def standing(self, stack: Named) -> Mapping[str, Any] | None:
        self.looked.append(stack.name)
        if self.failure:
            raise self.failure
        return self.stacks.get(stack.name)

    def show(self, status: Status, plan: AdoptionPlan | None, *, now: datetime) -> None:
        assert (status.id, now) == ("acme", START)
        self.shown.append(plan)

    def took_over(self, status: Status, stacks: tuple[StackRef, ...], *, now: datetime) -> None:
        assert (status.id, now) == ("acme", START)
        self.adopted += stacks

    def changes(self, stack: AssembledStack, standing: Mapping[str, Any]) -> StackChanges:
        if self.untold:
            raise GranaryError(self.untold)
        removed = {"ResourceChange": {"Action": "Remove", "LogicalResourceId": "Table", "ResourceType": "A::B::C"}}
        return StackChanges(
            name=stack.name,
            stack_id=standing["StackId"],
            account=stack.account,
            region=stack.region,
            touched="1",
            content=stack.content(),
            changes=[removed] if self.removes else [],
        )

    @contextmanager
    def assembly(self) -> Iterator[Path]:
        with TemporaryDirectory() as folder:
            lay(Path(folder), *self.assembled)
            if self.spoilt:
                (Path(folder) / "manifest.json").unlink()
            yield Path(folder)

    def job(self, **given: str) -> str | Later:
        asked = BeforeDeploy(
            statuses=self,
            factory=FACTORY,
            standing=self.standing,
            consent=lambda deployment_id: self.consents if deployment_id == "acme" else "",
            change_sets=self,
            clock=lambda: START,
        )
        return asked.job({**GIVEN, **given}, self.assembly)


def lay(folder: Path, *names: str) -> None:
    """The assembly of the tenant's pipeline, with stacks of these names in its stage."""
    stage = {"directoryName": "assembly-deploy", "displayName": "silo-acme-pipeline/Deploy"}
    stacks = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{REGION}",
            "properties": {"templateFile": f"{name}.json"},
        }
        for name in names
    }
    (folder / "assembly-deploy").mkdir()
    for where, artifacts in (
        (folder, {"stage": {"type": "cdk:cloud-assembly", "properties": stage}}),
        (folder / "assembly-deploy", stacks),
    ):
        (where / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    for name in names:
        (folder / "assembly-deploy" / f"{name}.json").write_text("{}", encoding="utf-8")


def test_what_is_not_there_or_is_the_tenants_own_is_deployed() -> None:
    world = World(stacks={MAIN: standing(MAIN, **OURS)})
    assert world.job() == "of 2 stacks, all are acme's, or not there yet"
    assert world.looked == [MAIN, DATA]


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, f"{DATA} stands in account {ACCOUNT} in {REGION} already, and nothing tells whose it is"),
        ({"owner": "somebody"}, "nothing tells whose it is"),
        ({"granary:factory": "other/1/us-east-1"}, "is of another factory (other/1/us-east-1)"),
        ({**OURS, "granary:deployment": "acme-b"}, "is of deployment acme-b"),
    ],
)
def test_a_stack_that_a_release_adds_is_not_deployed_over_a_strangers(tags: dict[str, str], why: str) -> None:
    """Given a standing tenant and a second stack whose name is taken, then nothing is deployed, its own neither."""
    world = World(stacks={MAIN: standing(MAIN, **OURS), DATA: standing(DATA, **tags)})
    with pytest.raises(GranaryError) as refused:
        world.job()
    assert str(refused.value).startswith("nothing is deployed: stack silo-acme-data")
    assert why in str(refused.value)


@pytest.mark.parametrize("attribute", ["component_stacks", "adopted"])
def test_what_is_recorded_needs_no_tag(attribute: str) -> None:
    """Given a stack of before there were tags, or one that was taken over, then its id tells; not its name."""
    world = World(stacks={DATA: standing(DATA)}, known={attribute: (ref(DATA),)})
    assert isinstance(world.job(), str)
    world.stacks[DATA] = standing(DATA, "2")
    with pytest.raises(GranaryError, match="nothing tells whose it is"):
        world.job()


def test_what_an_execution_has_touched_that_failed_is_not_the_tenants_for_that() -> None:
    world = World(stacks={DATA: standing(DATA)}, known={"further_stacks": (ref(DATA),)})
    with pytest.raises(GranaryError, match="nothing tells whose it is"):
        world.job()


def test_a_name_in_the_place_of_an_id_knows_nothing() -> None:
    by_name = StackRef(kind="component", stack_id=DATA, account=ACCOUNT, region=REGION)
    world = World(stacks={DATA: {**standing(DATA), "StackId": DATA}}, known={"component_stacks": (by_name,)})
    with pytest.raises(GranaryError, match="nothing tells whose it is"):
        world.job()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"deployment": "other"}, "there is no silo other"),
        ({"type": "pool"}, "there is no pool acme"),
        ({"region": "us-west-2"}, f"acme does not stand in account {ACCOUNT} in us-west-2"),
        ({"account": "333333333333"}, "acme does not stand in account 333333333333"),
        ({"stacks": ""}, "names no stack"),
    ],
)
def test_a_pipeline_asks_about_its_own_tenant_alone(given: dict[str, str], why: str) -> None:
    with pytest.raises(GranaryError, match=why):
        World().job(**given)


def test_what_cannot_be_told_has_nothing_deployed_and_what_may_pass_is_asked_again() -> None:
    def refused(code: str) -> ClientError:
        answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return ClientError(answer, "DescribeStacks")  # type: ignore[arg-type]

    with pytest.raises(GranaryError, match=r"whose the stacks of acme are cannot be told: .*AccessDenied"):
        World(failure=refused("AccessDenied")).job()
    with pytest.raises(GranaryError, match="not bootstrapped"):
        World(failure=GranaryError("not bootstrapped")).job()
    assert isinstance(World(failure=refused("Throttling")).job(), Later)
    assert isinstance(World(failure=EndpointConnectionError(endpoint_url="x")).job(), Later)
    with pytest.raises(GranaryError, match="stacks is missing"):
        BeforeStage.of_parameters({key: value for key, value in GIVEN.items() if key != "stacks"})


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", ""])
def test_a_stack_that_holds_nothing_is_nobodys(state: str) -> None:
    """Given a first creation that failed, or that was only prepared, then it is deployed over as ever."""
    asked: list[dict[str, Any]] = []

    class There:
        def assume_role(self, **request: Any) -> dict[str, Any]:
            asked.append(request)
            return {"Credentials": {}}

        def describe_stacks(self, StackName: str) -> dict[str, Any]:
            if not state:
                told = f"Stack {StackName} does not exist"
                raise ClientError({"Error": {"Code": "ValidationError", "Message": told}}, "DescribeStacks")
            return {"Stacks": [{"StackStatus": state}]}

    lookup = LookupRoles(sts=There(), qualifier="granary", make_client=lambda *_, **__: There())
    assert StandingStacks(lookup=lookup)(Named(DATA, ACCOUNT, REGION)) is None
    (statement,) = json.loads(asked[0]["Policy"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        ["cloudformation:DescribeStacks"],
        [f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{DATA}/*"],
    )


def test_what_only_grows_is_taken_over_by_consent() -> None:
    """Given a row that consents, and a plan that takes nothing away, then the stack is the tenant's from here on."""
    world = World(stacks={MAIN: standing(MAIN, **OURS), DATA: standing(DATA)}, consents=ANY)
    assert world.job() == f"takes over {stack_id(DATA)}"
    assert (world.adopted, world.shown) == ([ref(DATA)], [])
    world.known = {"adopted": (ref(DATA),)}
    assert world.job() == "of 2 stacks, all are acme's, or not there yet"


def test_a_plan_that_takes_something_away_waits_for_its_digest() -> None:
    world = World(stacks={DATA: standing(DATA)}, consents=ANY, removes=True)
    with pytest.raises(GranaryError, match="nothing is deployed: to take over stack silo-acme-data") as refused:
        world.job()
    (plan,) = world.shown
    assert plan is not None
    assert (plan.stops, plan.counts, world.adopted) == (True, {"remove": 1}, [])
    told = f"stage Deploy, action Whose: {refused.value}"
    for reason in (told, f"{told}; rolled back to abc"):
        assert f"granary adopt acme --digest {plan.digest}" in step_of(
            Phase.FAILED, deployment_id="acme", reason=reason
        )
    world.consents = plan.digest
    assert world.job() == f"takes over {stack_id(DATA)}"
    world.stacks[DATA] = standing(DATA, "2")
    with pytest.raises(GranaryError, match=f"its allow_adopt names {plan.digest}, and the plan is another one"):
        world.job()


@pytest.mark.parametrize("tags", [{"granary:factory": "other/1/us-east-1"}, {"granary:deployment": "acme-b"}])
def test_nobody_can_consent_to_somebody_elses(tags: dict[str, str]) -> None:
    """Given a stack of another one beside one that is nobody's, then none of the two is taken over."""
    world = World(stacks={MAIN: standing(MAIN), DATA: standing(DATA, **tags)}, consents=ANY)
    with pytest.raises(GranaryError, match=r"is of (another factory|deployment acme-b)"):
        world.job()
    assert world.adopted == []


def test_what_cannot_be_compared_is_not_taken_over() -> None:
    world = World(stacks={DATA: standing(DATA)}, consents=ANY, untold="no change set can be made")
    with pytest.raises(GranaryError, match="nothing is deployed: no change set can be made"):
        world.job()
    world = World(stacks={DATA: standing(DATA)}, consents=ANY, assembled=(MAIN,))
    with pytest.raises(GranaryError, match="nothing is deployed: the assembly has no stack silo-acme-data"):
        world.job()
    world = World(stacks={DATA: standing(DATA)}, consents=ANY, spoilt=True)
    with pytest.raises(GranaryError, match=r"nothing is deployed: the assembly cannot be read: File.*manifest\.json"):
        world.job()
    assert (world.adopted, world.shown) == ([], [])
