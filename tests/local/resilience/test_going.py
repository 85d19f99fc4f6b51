"""The room goes, when everything else has been played: as its pages say, and what is left is named."""

from __future__ import annotations

import json

from lambdas.resilience.model.names import ROOM
from lambdas.saas.model.runs import RunState
from local_cloud.factory.failover import AWAY, FAILOVER
from local_cloud.factory.granary import HOME, WORKLOAD
from tests.local.resilience.catalogue import ROWS
from tests.local.resilience.scene import CHAOS, Scene
from tests.local.saas.releasing import ended


def test_the_room_is_taken_away_and_what_is_left_is_named(scene: Scene) -> None:
    granary, config = scene.granary, scene.granary.workspace.root / "config"
    for name in (ROOM, "failover"):
        assert f"config/{name}.yaml" in granary.cli("cleanup", ROOM, "--yes").stderr
        (config / f"{name}.yaml").unlink()
    granary.workspace.commit("Neither experiments nor failovers")
    version = granary.push("neither experiments nor failovers")
    scene.factory.released(version, seconds=480)  # CI/CD changes itself, and begins anew
    ended(scene.factory, version, RunState.SUCCEEDED)
    for row in ROWS:
        status = granary.status(row.id)
        assert status is not None
        assert status.revision_deployed == version
    done = granary.cli("cleanup", ROOM, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for region in (HOME, AWAY):
        stacks = granary.client("cloudformation", region=region).describe_stacks()["Stacks"]
        assert [one["StackName"] for one in stacks if ROOM in one["StackName"]] == []
    granary.deploy_workload_roles()
    roles = granary.client("iam", account=WORKLOAD).list_roles()["Roles"]
    assert [one["RoleName"] for one in roles if one["RoleName"] == CHAOS.room_role(ROOM, "run")] == []
    (everywhere, replicated), (table, attempts), *others = sorted((one["type"], one["name"]) for one in told["kept"])
    assert (everywhere, replicated) == ("AWS::DynamoDB::GlobalTable", FAILOVER.failover)
    assert (table, attempts) == ("AWS::DynamoDB::Table", CHAOS.attempts_table)
    assert [kind for kind, _ in others] == ["AWS::KMS::Key"] * 2 + ["AWS::Route53::HealthCheck"] * 2
    for name in (replicated, attempts):
        assert granary.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
