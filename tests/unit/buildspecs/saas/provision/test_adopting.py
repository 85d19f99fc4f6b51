"""Which stacks a pipeline would take over, and who is asked before it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from buildspecs.saas.provision.adopting import Adopting
from buildspecs.saas.provision.strangers import Strangers
from lambdas.common.cloud_assembly import AssembledStack, stacks_of_pipeline
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.saas.model.adoption import ANY, AdoptionPlan, StackChanges, plan_of
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Phase, StackRef
from lambdas.saas.store.takeovers import Found
from tests.unit.buildspecs.saas.provision.clients import RECORD
from tests.unit.buildspecs.saas.provision.fakes import World, row
from tests.unit.buildspecs.saas.provision.test_strangers import FACTORY, PIPELINE, Account, Tokens, tagged
from tests.unit.lambdas.saas.fakes import FakeClock

MAIN, DATA = "silo-a-resources", "silo-a-data"
HOME = ("222222222222", "eu-west-1")
REMOVED = {"Type": "Resource", "ResourceChange": {"Action": "Remove", "LogicalResourceId": "Table"}}
CONSENTING = replace(RECORD, allow_adopt=ANY)


def assembly(folder: Path, *stacks: tuple[str, str], pipeline: str = PIPELINE) -> Path:
    """An assembly with a pipeline whose stages, one a Region, have stacks (name, Region); and somebody else's."""
    _manifest(
        folder,
        {
            f"assembly-{name}-{region}": {
                "type": "cdk:cloud-assembly",
                "properties": {"directoryName": f"{name}-{region}", "displayName": f"{name}/Deploy"},
            }
            for name in (pipeline, "silo-a-b-pipeline")
            for region in ("eu-west-1", "us-east-1")
        },
    )
    for region in ("eu-west-1", "us-east-1"):
        _manifest(folder / f"silo-a-b-pipeline-{region}", {"o": _stack("silo-a-b-resources", region)})
        named = {name: _stack(name, region) for name, where in stacks if where == region}
        _manifest(folder / f"{pipeline}-{region}", named | {"a.assets": {"type": "cdk:asset-manifest"}})
        for name in named:
            (folder / f"{pipeline}-{region}" / f"{name}.json").write_text("{}", encoding="utf-8")
    return folder


def _stack(name: str, region: str) -> dict[str, Any]:
    properties = {"templateFile": f"{name}.json", "stackName": name, "tags": {"t": "1"}}
    return {"type": "aws:cloudformation:stack", "environment": f"aws://222222222222/{region}", "properties": properties}


def _manifest(folder: Path, artifacts: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")


@dataclass
class Asked:
    """CloudFormation's answers: what would change of a stack, by its name, or why that cannot be told."""

    removed: frozenset[str] = frozenset()
    untold: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def changes(self, stack: AssembledStack, standing: Mapping[str, Any]) -> StackChanges:
        self.asked.append((stack.name, stack.region))
        if self.untold:
            raise GranaryError(self.untold)
        return changes(stack.name, stack.region, *([REMOVED] if stack.name in self.removed else []))


def changes(name: str, region: str, *found: Mapping[str, Any]) -> StackChanges:
    place = {"account": HOME[0], "region": region}
    return StackChanges(name=name, stack_id=f"id-{name}", touched="1", content="c", changes=found, **place)


def look(
    folder: Path, workload: Account, record: DeploymentRecord, asked: Asked | None = None, *, moving: bool = False
) -> Found:
    lookup = LookupRoles(sts=Tokens(), qualifier="granary", make_client=lambda *_, **__: workload)
    names = SaasNames(prefix="granary")
    # What stands in the toolchain's account is in the same dictionary: it has other names.
    strangers = Strangers(factory=FACTORY, names=names, own=lambda _service: workload, lookup=lookup)
    return Adopting(strangers=strangers, change_sets=asked or Asked(), clock=FakeClock())(record, folder, moving=moving)


def test_the_stacks_of_one_pipeline_are_those_of_its_stages(tmp_path: Path) -> None:
    folder = assembly(tmp_path, (DATA, "eu-west-1"), (MAIN, "eu-west-1"), (MAIN, "us-east-1"))
    found = stacks_of_pipeline(PIPELINE, folder)
    assert [(one.name, one.region) for one in found] == [
        (DATA, "eu-west-1"),
        (MAIN, "eu-west-1"),
        (MAIN, "us-east-1"),
    ]
    assert (found[0].tags, found[0].account) == ({"t": "1"}, "222222222222")
    assert replace(found[0], tags={}).content() != found[0].content()
    with pytest.raises(FileNotFoundError):
        stacks_of_pipeline(PIPELINE, tmp_path / "none")


def test_where_nothing_stands_nothing_is_asked(tmp_path: Path) -> None:
    asked = Asked()
    folder = assembly(tmp_path, (DATA, "eu-west-1"), (MAIN, "eu-west-1"))
    ours = Account(stacks={DATA: tagged(FACTORY), MAIN: {"StackStatus": "ROLLBACK_COMPLETE"}})
    for record in (RECORD, CONSENTING):
        assert look(folder, Account(), record, asked) == look(folder, ours, record, asked) == Found()
    assert asked.asked == []


@pytest.mark.parametrize("factory", [(), tagged(FACTORY)["Tags"]], ids=["before factories had a tag", "of ours"])
def test_nobody_consents_to_another_tenants_stack(tmp_path: Path, factory: list[dict[str, str]]) -> None:
    """Given a name that two tenants' stacks may have, then who bears it first has it."""
    asked, tags = Asked(), [{"Key": "granary:deployment", "Value": "a-data"}, *factory]
    folder = assembly(tmp_path, (DATA, "eu-west-1"))
    found = look(folder, Account(stacks={DATA: {"Tags": tags}}), CONSENTING, asked)
    assert found.refusal.endswith("already, and is of deployment a-data: give the tenant another id")
    assert asked.asked == []


def test_without_consent_every_stack_of_the_component_is_refused(tmp_path: Path) -> None:
    """Given a component of several stacks, then the one that no pre-flight knows is not deployed over either."""
    asked = Asked()
    folder = assembly(tmp_path, (DATA, "eu-west-1"), (MAIN, "eu-west-1"))
    found = look(folder, Account(stacks={DATA: {}}), RECORD, asked)
    assert found.refusal.startswith(
        "stack silo-a-data stands in account 222222222222 in eu-west-1 already, and nothing"
    )
    assert (found.plan, found.adopted, asked.asked) == (None, (), [])


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (tagged("other/111111111111/us-east-1"), "is of another factory"),
        (
            {"Tags": [*tagged(FACTORY)["Tags"], {"Key": "granary:deployment", "Value": "a-data"}]},
            "is of deployment a-data",
        ),
    ],
)
def test_no_consent_helps_to_what_is_somebody_elses(tmp_path: Path, tags: dict[str, Any], words: str) -> None:
    asked = Asked()
    found = look(assembly(tmp_path, (DATA, "eu-west-1")), Account(stacks={DATA: tags}), CONSENTING, asked)
    assert words in found.refusal
    assert asked.asked == []


def test_with_consent_what_only_grows_is_taken_over(tmp_path: Path) -> None:
    folder = assembly(tmp_path, (DATA, "eu-west-1"), (MAIN, "eu-west-1"), (MAIN, "us-east-1"))
    found = look(folder, Account(stacks={DATA: {}, MAIN: {}}), CONSENTING)
    refs = [StackRef(kind="component", stack_id=f"id-{name}", account=HOME[0], region=HOME[1]) for name in (DATA, MAIN)]
    assert found == Found(adopted=tuple(refs))


def test_what_takes_away_waits_with_one_plan_for_all_places(tmp_path: Path) -> None:
    folder = assembly(tmp_path, (MAIN, "eu-west-1"), (MAIN, "us-east-1"))
    record, asked = replace(CONSENTING, standby_region="us-east-1"), Asked(removed=frozenset({MAIN}))
    found = look(folder, Account(stacks={MAIN: {}}), record, asked)
    assert asked.asked == [(MAIN, "eu-west-1"), (MAIN, "us-east-1")]
    plan = plan_of([changes(MAIN, region, REMOVED) for region in ("eu-west-1", "us-east-1")])
    assert found.plan is not None
    assert (found.plan.digest, found.plan.counts, found.adopted) == (plan.digest, {"remove": 2}, ())
    assert "stack silo-a-resources in eu-west-1, stack silo-a-resources in us-east-1" in found.refusal
    agreed = look(folder, Account(stacks={MAIN: {}}), replace(record, allow_adopt=plan.digest), asked)
    assert len(agreed.adopted) == 2
    other = look(folder, Account(stacks={MAIN: {}}), replace(record, allow_adopt="sha256:" + "0" * 24), asked)
    assert other.refusal.startswith("its allow_adopt names sha256:000")


def test_what_cannot_be_told_refuses(tmp_path: Path) -> None:
    folder = assembly(tmp_path, (MAIN, "eu-west-1"))
    found = look(folder, Account(stacks={MAIN: {}}), CONSENTING, Asked(untold="no export"))
    assert found == Found(refusal="no export")


def test_a_component_belongs_to_a_pipeline_that_stands_unless_it_moves(tmp_path: Path) -> None:
    folder, asked = assembly(tmp_path, (MAIN, "eu-west-1")), Asked(removed=frozenset({MAIN}))
    standing = Account(stacks={MAIN: {}, PIPELINE: tagged("granary")})
    assert look(folder, standing, CONSENTING, asked) == Found()
    assert look(folder, standing, CONSENTING, asked, moving=True).plan is not None


PLAN = AdoptionPlan(digest="sha256:" + "0" * 24, counts={"remove": 1}, changes=("remove: Table",), stops=True)
REF = StackRef(kind="component", stack_id="arn:theirs", account=HOME[0], region=HOME[1])


def test_a_plan_that_waits_makes_no_pipeline_and_is_shown() -> None:
    world = World(found={"a": Found(refusal="look at the plan", plan=PLAN)})
    world.put(row("a", allow_adopt=True), row("b"))
    world.build().run(["a", "b"])
    status = world.statuses.items["a"]
    assert (status.phase, status.reason, status.adoption, status.retry) == (
        Phase.FAILED,
        "look at the plan",
        PLAN,
        True,
    )
    assert (status.claimed_by, world.pipelines.deployed, list(world.pipelines.pinned)) == ("", ["b"], ["b"])

    world.found = {"a": Found(adopted=(REF,))}
    world.put(row("a", allow_adopt=PLAN.digest))
    world.build("granary-provisioning:2").run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.adoption, status.adopted) == (Phase.PROVISIONING, None, (REF,))
    assert world.pipelines.deployed == ["b", "a"]

    # Its pipeline stands: nothing is asked any more, with consent or without.
    looked = len(world.looked)
    world.put(row("a", size="large"))
    world.build("granary-provisioning:3").run(["a"])
    assert (len(world.looked), world.statuses.items["a"].adopted) == (looked, (REF,))


def test_a_standby_that_takes_over_leaves_what_the_primary_has_taken_over() -> None:
    world, there = World(found={"a": Found(adopted=(REF,))}), replace(REF, region="us-east-1")
    world.put(row("a", allow_adopt=True))
    world.build().run(["a"])
    world.found = {"a": Found(adopted=(there,))}
    world.put(row("a", allow_adopt=True, allow_move=True, standby_region="us-east-1"))
    world.build("granary-provisioning:2").run(["a"])
    assert world.statuses.items["a"].adopted == (REF, there)


def test_another_failure_forgets_the_plan() -> None:
    world = World(found={"a": Found(refusal="look", plan=PLAN)})
    world.put(row("a"))
    world.build().run(["a"])
    world.found = {"a": Found(refusal="is of another factory")}
    world.clock.pass_time(hours=1)
    world.build("granary-provisioning:2").run(["a"])
    assert (world.statuses.items["a"].adoption, world.statuses.items["a"].reason) == (None, "is of another factory")
