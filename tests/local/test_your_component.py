"""A component of one's own, from a clone on: the serverless example takes the demo's place, and is delivered to tenants.

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
from local_cloud.factory.granary import HOME, TOOLCHAIN, WORKLOAD, Granary, Row, wait_until, workspace_folder
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from local_cloud.factory.moving import current_release
from local_cloud.factory.workspace import OVERLAY, Workspace
from tests.example_zones import put_example
from tests.local.examples_support import Example, run
from tests.local.local_cloud_fixtures import Workbench
from tests.local.saas.factory import Factory
from tests.local.saas.releasing import ended

ADA, BEN, CLEO, DORA = (Row(id=name, type="silo", region=HOME) for name in ("ada", "ben", "cleo", "dora"))
SAYS: dict[str, dict[str, Any]] = {
    ADA.id: {"tier": {"S": "gold"}, "parameters": {"M": {"signing": {"S": "notes/ada"}}}},
    BEN.id: {"tier": {"S": "free"}, "parameters": {"M": {"limit": {"S": "5"}}}},
    CLEO.id: {"tier": {"S": "gold"}, "parameters": {"M": {"signing": {"S": "notes/cleo"}, "limit": {"S": "7"}}}},
    DORA.id: {"tier": {"S": "free"}},
}
_KEY = "milk and honey"
# All at once, and one tenant may fail.
_RELEASES = {
    **OVERLAY["toolchain"]["releases"],
    "strategy": "all-at-once",
    "rings": [{"name": "all", "max_failures": 1}],
}
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
_TOOLCHAIN = {**OVERLAY["toolchain"], "provisioning": _PROVISIONING, "releases": _RELEASES}
# What is the user's (CONTRIBUTING.md), and what is made of it.
_THEIRS = ("component/", "tests/component/", "config/toolchain.yaml", "config/workloads.yaml", "config/policies/")
_MADE = ("config/schema/",)


def put(factory: Factory, row: Row, **more: Any) -> None:
    """Put a tenant's row, with what it says."""
    factory.put_item({**row.item(), **SAYS[row.id], **more})


def there(factory: Factory, service: str) -> Any:
    """A client in the tenants' account."""
    return factory.granary.client(service, account=WORKLOAD)


def answer(factory: Factory, row: Row) -> dict[str, Any]:
    """What the tenant's function answers, its body read."""
    told = there(factory, "lambda").invoke(FunctionName=f"silo-{row.id}-reader", Payload=b"{}")
    found = json.loads(told["Payload"].read())
    return {**found, "read": json.loads(found["body"])}


def reader(factory: Factory, row: Row) -> dict[str, Any]:
    """The tenant's function, as Lambda has it."""
    found = there(factory, "lambda").get_function_configuration(FunctionName=f"silo-{row.id}-reader")
    return {key: found[key] for key in ("CodeSha256", "MemorySize", "Environment")}


def migrated(factory: Factory, row: Row) -> tuple[int, int]:
    """At which schema the tenant's notes are, and how often that was made."""
    item = there(factory, "dynamodb").get_item(TableName=f"silo-{row.id}-notes", Key={"id": {"S": ".schema"}})["Item"]
    return int(item["at"]["N"]), int(item["runs"]["N"])


def executions(factory: Factory, row: Row) -> list[str]:
    """The executions of the tenant's pipeline."""
    return [one["pipelineExecutionId"] for one in factory.granary.executions(row.pipeline)]


@pytest.fixture(scope="module")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCloud, Workspace]]:
    """A clone in which the example has taken the demo's place; nothing is committed yet."""
    with LocalCloud.start(tmp_path_factory.mktemp("yours")) as cloud:
        workspace = Workspace.create(workspace_folder(cloud), overlay={})
        put_example(workspace, "component-serverless", accounts=[WORKLOAD], regions=[HOME])
        workspace.configure("toolchain", _TOOLCHAIN)
        run(workspace, "-m", "config.schema")
        yield cloud, workspace


@pytest.fixture(scope="module")
def factory(cloned: tuple[LocalCloud, Workspace]) -> Factory:
    """The factory of that clone, which allows in the tenants' account what the check says, after its first release."""
    cloud, workspace = cloned
    granary = Granary(cloud, workspace)
    with ThreadPoolExecutor(1) as pool:
        bootstrap = pool.submit(cloud.bootstrap, TOOLCHAIN, HOME)
        Example.checked(workspace, bench=Workbench(cloud=cloud, account=WORKLOAD, region=HOME))
        bootstrap.result()
    workspace.commit("Notes instead of the demo")
    granary.deploy()
    granary.deploy_workload_roles()
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
    """What the rows became; of Cleo, whose secret was not there, also as what it failed, and what had run by then."""

    statuses: dict[str, Status]
    refused: Status
    migrated: tuple[int, int]


@pytest.fixture(scope="module")
def onboarded(factory: Factory) -> Onboarded:
    """Three rows; the secret that one of them names comes late, and the failed stage is retried then."""
    secrets = there(factory, "secretsmanager")
    secrets.create_secret(Name="notes/ada", SecretString=_KEY)
    for row in (ADA, BEN, CLEO):
        put(factory, row)
    refused = factory.reaches(CLEO.id, Phase.FAILED, reason="task Check")
    before = migrated(factory, CLEO)
    secrets.create_secret(Name="notes/cleo", SecretString=_KEY)
    factory.go_on(CLEO)
    known = {**factory.active(ADA, BEN), CLEO.id: factory.reaches(CLEO.id, Phase.ACTIVE)}
    return Onboarded(statuses=known, refused=refused, migrated=before)


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
    expected = hmac.new(_KEY.encode(), signed["body"].encode(), hashlib.sha256).hexdigest()
    assert (signed["headers"]["x-signature"], "x-signature" in plain["headers"]) == (expected, False)
    for part in ("data", "resources"):
        told = there(factory, "cloudformation").get_template(StackName=f"silo-ada-{part}")["TemplateBody"]
        assert _KEY not in json.dumps(told)
    assert "task Check (after silo-cleo-resources) failed: function silo-cleo-reader" in onboarded.refused.reason


def test_a_migration_runs_once(factory: Factory, onboarded: Onboarded) -> None:
    """Given a stage that was retried behind it, and a row that changes nothing, then each tenant was migrated once."""
    assert onboarded.migrated == (1, 1)
    before = executions(factory, ADA)
    put(factory, ADA, note={"S": "nothing of the factory's"})
    factory.stream_is_drained()
    assert [migrated(factory, row) for row in (ADA, BEN, CLEO)] == [(1, 1)] * 3
    assert executions(factory, ADA) == before
