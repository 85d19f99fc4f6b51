"""A component of one's own, from a clone on: the serverless example takes the demo's place, and is delivered.

By the users' zone and its configuration alone. How is said in CONTRIBUTING.md ("Your component"), docs/saas/rows.md and
docs/saas/tasks.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Phase, Status
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, Granary, wait_until, workspace_folder
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from local_cloud.factory.moving import current_release
from local_cloud.factory.workspace import Workspace
from tests.example_zones import put_example
from tests.local.examples_support import Example, run
from tests.local.local_cloud_fixtures import Workbench
from tests.local.notes_support import (
    ADA,
    BEN,
    CLEO,
    CONFIGURED,
    DORA,
    KEY,
    KEYED,
    answer,
    executions,
    known,
    make_by_hand,
    migrated,
    publishing_builds,
    put,
    reader,
    there,
)
from tests.local.saas.factory import Factory
from tests.local.saas.permissions import without
from tests.local.saas.releasing import ended

# What is the user's (CONTRIBUTING.md), and what is made of it.
_THEIRS = ("component/", "tests/component/", "config/toolchain.yaml", "config/workloads.yaml", "config/policies/")
_MADE = ("config/schema/",)


@pytest.fixture(scope="module")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCloud, Workspace]]:
    """A clone in which the example has taken the demo's place; nothing is committed yet."""
    with LocalCloud.start(tmp_path_factory.mktemp("yours")) as cloud:
        workspace = Workspace.create(workspace_folder(cloud), overlay={})
        put_example(workspace, "component-serverless", accounts=[WORKLOAD], regions=[HOME])
        workspace.configure("toolchain", CONFIGURED)
        run(workspace, "-m", "config.schema")
        yield cloud, workspace


@pytest.fixture(scope="module")
def example(cloned: tuple[LocalCloud, Workspace]) -> Example:
    """Both accounts, bootstrapped; in the tenants' CloudFormation may do what the check says. All is committed."""
    cloud, workspace = cloned
    with ThreadPoolExecutor(1) as pool:
        bootstrap = pool.submit(cloud.bootstrap, TOOLCHAIN, HOME)
        checked = Example.checked(workspace, bench=Workbench(cloud=cloud, account=WORKLOAD, region=HOME))
        bootstrap.result()
    workspace.commit("Notes instead of the demo")
    return checked


@pytest.fixture(scope="module")
def factory(cloned: tuple[LocalCloud, Workspace], example: Example) -> Factory:
    """The factory of that clone, after its first release."""
    del example
    cloud, workspace = cloned
    granary = Granary(cloud, workspace)
    granary.deploy()
    # As its administrator does, with what has just been synthesized.
    roles = ["deploy", NAMES.workload_roles_stack(WORKLOAD), "--exclusively", "--require-approval", "never"]
    cloud.cdk([*roles, "--app", "cdk.out"], account=WORKLOAD, region=HOME, cwd=workspace.root)
    factory = Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))
    factory.released(granary.push("The first release"))
    return factory


def test_the_demo_is_replaced_by_the_users_files_alone(factory: Factory) -> None:
    """Given the example in place, its configuration and its policy, then nothing of the product differs."""
    words = ["git", "diff", "--name-only", "HEAD~1", "HEAD"]
    done = subprocess.run(words, cwd=factory.granary.workspace.root, capture_output=True, text=True, check=True)
    changed = done.stdout.split()
    assert [one for one in changed if not one.startswith((*_THEIRS, *_MADE))] == []
    assert {"component/demo.py", "component/notes.py", "config/policies/workload-execution.json"} <= set(changed)


@dataclass(frozen=True, kw_only=True)
class Onboarded:
    """What the rows became; of Cleo, whose secret was not there, also as what it failed, and what had run by then.

    `unpublished` is what each was told while nobody could read what is to be published, and `denied` what Ada was while
    no build could be started. `published` is how many builds there were after that.
    """

    statuses: dict[str, Status]
    refused: Status
    migrated: tuple[int, int]
    unpublished: list[str]
    denied: str
    published: int


@pytest.fixture(scope="module")
def onboarded(factory: Factory) -> Onboarded:
    """Three rows; their assets are published late. So comes the secret of one; each failed stage is retried then."""
    secrets, rows = there(factory, "secretsmanager"), (ADA, BEN, CLEO)
    secrets.create_secret(Name="notes/ada", SecretString=KEY)
    with without(factory.granary, NAMES.asset_publishing_role, "s3:GetObject"):
        for row in rows:
            put(factory, row)
        unpublished = [factory.reaches(row.id, Phase.FAILED, reason="not published").reason for row in rows]
    with without(factory.granary, NAMES.assets_role, "codebuild:StartBuild"):
        factory.retry(ADA.pipeline, "Assets")
        denied = factory.reaches(ADA.id, Phase.FAILED, reason="StartBuild").reason
    failed = publishing_builds(factory)
    for row in rows:
        factory.retry(row.pipeline, "Assets")
    refused = factory.reaches(CLEO.id, Phase.FAILED, reason="task Check")
    before = migrated(factory, CLEO)
    secrets.create_secret(Name="notes/cleo", SecretString=KEY)
    factory.go_on(CLEO)
    statuses = {**factory.active(ADA, BEN), CLEO.id: factory.reaches(CLEO.id, Phase.ACTIVE)}
    return Onboarded(
        statuses=statuses,
        refused=refused,
        migrated=before,
        unpublished=unpublished,
        denied=denied,
        published=publishing_builds(factory) - failed,
    )


def test_assets_of_three_tenants_are_published_by_one_build(onboarded: Onboarded) -> None:
    """Given a build that failed, then each tenant says why; and given a retry of each, then one build publishes."""
    for reason in onboarded.unpublished:
        assert "stage Assets" in reason
        assert "assets were not published: build granary-assets:" in reason
        assert "s3:GetObject" in reason
    assert "not authorized to perform: codebuild:StartBuild" in onboarded.denied
    assert onboarded.published == 1


def test_three_tenants_of_two_tiers_stand(factory: Factory, onboarded: Onboarded) -> None:
    """Given rows with a tier and parameters, then each has both stacks, sized and told as its row says."""
    for row in (ADA, BEN, CLEO):
        status = onboarded.statuses[row.id]
        stacks = {f"silo-{row.id}-{part}" for part in ("data", "resources")}
        assert {ref.stack_id.split("/")[1] for ref in status.component_stacks} == stacks
        address = factory.public(row)["Address"]
        assert (status.outputs, address.startswith("https://")) == ({HOME: {"Address": address}}, True)
    found = [reader(factory, row) for row in (ADA, BEN, CLEO)]
    assert [one["MemorySize"] for one in found] == [512, 128, 512]
    assert [one["Environment"]["Variables"]["LIMIT"] for one in found] == ["999", "5", "7"]


def test_a_secret_is_read_where_it_is_and_stands_nowhere_else(factory: Factory, onboarded: Onboarded) -> None:
    """Given a row that names a secret, then its function signs with that, and the template has the name alone."""
    signed, plain = answer(factory, ADA), answer(factory, BEN)
    assert (signed["read"], plain["read"]) == ({"title": "Notes", "notes": []},) * 2
    expected = hmac.new(KEY.encode(), signed["body"].encode(), hashlib.sha256).hexdigest()
    assert (signed["headers"]["x-signature"], "x-signature" in plain["headers"]) == (expected, False)
    for part in ("data", "resources"):
        told = there(factory, "cloudformation").get_template(StackName=f"silo-ada-{part}")["TemplateBody"]
        assert KEY not in json.dumps(told)
    assert "task Check (after silo-cleo-resources) failed: function silo-cleo-reader" in onboarded.refused.reason


def test_a_migration_runs_once(factory: Factory, onboarded: Onboarded) -> None:
    """Given a stage that was retried behind it, and a row that changes nothing, then each tenant was migrated once."""
    assert onboarded.migrated == (1, 1)
    before = executions(factory, ADA)
    put(factory, ADA, note={"S": "nothing of the factory's"})
    factory.stream_is_drained()
    assert [migrated(factory, row) for row in (ADA, BEN, CLEO)] == [(1, 1)] * 3
    assert executions(factory, ADA) == before


@pytest.fixture(scope="module")
def theirs(factory: Factory, onboarded: Onboarded) -> str:
    """Somebody's stack under the name of a fourth tenant's; then its row."""
    del onboarded
    stack = make_by_hand(factory)
    put(factory, DORA)
    return stack


@dataclass(frozen=True, kw_only=True)
class Documented:
    """A commit in docs/ that was released: its run, and the executions of tenants' pipelines before."""

    before: str
    run: Run
    executions: list[list[str]]


@pytest.fixture(scope="module")
def documented(factory: Factory, theirs: str) -> Documented:
    """Somebody pushes a page."""
    del theirs
    granary, before = factory.granary, current_release(factory.granary).revision
    before_it = [executions(factory, row) for row in (ADA, BEN, CLEO)]
    (granary.workspace.root / "docs" / "note.md").write_text("# A note\n", encoding="utf-8")
    granary.workspace.commit("A note")
    version = granary.push("A note")
    factory.released(version)
    run = ended(factory, version, RunState.SUCCEEDED)
    wait_until(lambda: current_release(granary).revision == version or None, seconds=60, what="the pointer to move")
    return Documented(before=before, run=run, executions=before_it)


def test_a_commit_of_documentation_starts_no_pipeline(factory: Factory, documented: Documented) -> None:
    """Given it, then it is the current release, its run takes nobody up, and what stands is left alone."""
    same = factory.granary.runs.run(documented.run.same_as)
    assert same is not None
    assert (same.revision, documented.run.deployments) == (documented.before, 0)
    assert [executions(factory, row) for row in (ADA, BEN, CLEO)] == documented.executions


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A release of a new schema: its revision and its run.

    `held` are the executions, before, of who is `pinned`, and `former` is the function of whose migration fails.
    """

    pinned: str
    revision: str
    run: Run
    held: list[str]
    former: dict[str, Any]


@pytest.fixture(scope="module")
def changed(factory: Factory, documented: Documented) -> Changed:
    """Ben is pinned to what he has, and Cleo's notes are at a schema that nobody knows, when the schema changes."""
    pinned, workspace = documented.before, factory.granary.workspace
    put(factory, BEN, revision={"S": pinned})
    wait_until(lambda: known(factory, BEN).pinned == pinned or None, seconds=60, what="Ben to be pinned")
    held, former = executions(factory, BEN), reader(factory, CLEO)
    there(factory, "dynamodb").update_item(
        TableName="silo-cleo-notes",
        Key={"id": {"S": ".schema"}},
        UpdateExpression="SET #at = :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":at": {"N": "7"}},
    )
    workspace.replace("component/migration/index.py", "SCHEMA = 1\n", "SCHEMA = 2\n")
    workspace.replace("component/reader/index.py", 'json.dumps({"title"', 'json.dumps({"schema": 2, "title"')
    workspace.commit("Schema 2")
    revision = factory.granary.push("Schema 2")
    factory.released(revision)
    run = ended(factory, revision, RunState.SUCCEEDED)
    return Changed(pinned=pinned, revision=revision, run=run, held=held, former=former)


def test_a_migration_that_fails_has_nothing_deployed(factory: Factory, changed: Changed) -> None:
    """Given notes that cannot be migrated, then what reads them stays as it is, and the row says which task it was."""
    status = known(factory, CLEO)
    assert status.phase == Phase.FAILED
    assert "task Migrate (before silo-cleo-resources) failed: function silo-cleo-migration" in status.reason
    assert "the notes are at schema 7" in status.reason
    assert reader(factory, CLEO) == changed.former
    assert factory.operations("silo-cleo-resources", account=WORKLOAD) == ["CREATE_IN_PROGRESS"]
    assert "schema" not in answer(factory, CLEO)["read"]


def test_a_pinned_tenant_is_passed_by(factory: Factory, changed: Changed) -> None:
    """Given a tenant that its row pins, then the release starts nothing there; who is neither has it, migrated once."""
    ben, ada = known(factory, BEN), known(factory, ADA)
    assert executions(factory, BEN) == changed.held
    assert (ben.phase, ben.revision_deployed, migrated(factory, BEN)) == (Phase.ACTIVE, changed.pinned, (1, 1))
    assert any(BEN.id in one for one in changed.run.skipped_names)
    assert (ada.phase, ada.revision_deployed, migrated(factory, ADA)) == (Phase.ACTIVE, changed.revision, (2, 2))
    assert answer(factory, ADA)["read"]["schema"] == 2


def test_somebody_elses_stack_is_refused_and_then_adopted(factory: Factory, theirs: str, changed: Changed) -> None:
    """Given a stack under a tenant's name, then it is refused; with consent it is the tenant's, with its notes."""
    status = factory.reaches(DORA.id, Phase.FAILED, reason="nothing tells whose it is")
    assert '"allow_adopt": {"BOOL": true}' in status.reason
    assert factory.pipeline(DORA.pipeline) is None
    put(factory, DORA, allow_adopt={"BOOL": True})
    factory.leaves(DORA.id, Phase.FAILED)
    status = factory.active(DORA)[DORA.id]
    assert [ref.stack_id for ref in status.adopted] == [theirs]
    assert (status.revision_deployed, migrated(factory, DORA)) == (changed.revision, (2, 1))
    assert answer(factory, DORA)["read"]["notes"] == ["bread"]


def test_the_roles_of_functions_are_bounded(example: Example, onboarded: Onboarded) -> None:
    del onboarded
    iam = example.bench.client("iam")
    roles = [one["RoleName"] for one in iam.list_roles(PathPrefix="/granary/")["Roles"]]
    its = [iam.get_role(RoleName=name)["Role"] for name in roles if name.startswith("silo-ben-")]
    assert len(its) == 2
    bounds = {one["PermissionsBoundary"]["PermissionsBoundaryArn"] for one in its}
    assert [one.rpartition(":")[2] for one in bounds] == ["policy/landing/boundary"]


def test_a_stack_that_is_no_tenants_is_denied(example: Example) -> None:
    """Given the same types under other names, or without the tag, then the policy does not reach them."""
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders", **KEYED}}
    for resource in (table, {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}}):
        assert example.create("silo-acme-extra", {"Resources": {"One": resource}}) == "ROLLBACK_COMPLETE"
        assert any("is not authorized to perform" in one for one in example.failures("silo-acme-extra"))
        example.bench.client("cloudformation").delete_stack(StackName="silo-acme-extra")


def test_stacks_go_with_the_same_permissions(example: Example, onboarded: Onboarded) -> None:
    """It ends the story: the factory knows nothing of it."""
    del onboarded
    for name in ("silo-ben-resources", "silo-ben-data"):
        assert example.delete(name) == "DELETE_COMPLETE", example.failures(name)
