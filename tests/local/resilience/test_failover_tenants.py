"""A tenant that stands in two Regions is an application of its group, for as long as it does.

Its status is written as the factory does when a row names a standby; everything else is real.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from lambdas.common.dynamo import write_value
from lambdas.resilience.store.failover.table import CLAIMS
from local_cloud.factory.chaos import LAST
from local_cloud.factory.failover import AWAY, DOMAINS, FAILOVER, OUTPUT, SHOP, TENANTS
from local_cloud.factory.granary import HOME, REGIONS, wait_until
from tests.local.resilience.failing import Failing
from tests.local.resilience.scene import Scene
from tests.local.saas.permissions import without

_NAME = TENANTS.format(id=LAST.id)
_PATIENCE = 120.0


@contextmanager
def _standby(scene: Scene) -> Iterator[None]:
    """Until the block ends, the tenant stands in both Regions, and says where."""
    client, table = scene.granary.client("dynamodb"), scene.factory.names.status_table
    before = client.get_item(TableName=table, Key={"id": {"S": LAST.id}})["Item"]
    home = before["placed"]
    away = copy.deepcopy(home)
    away["M"]["region"] = {"S": AWAY}
    outputs = {region: {OUTPUT: f"https://{LAST.id}.{region}.example.net/"} for region in REGIONS}
    both = {**before, "placed": {"L": [home, away]}, "outputs": write_value(outputs)}
    client.put_item(TableName=table, Item=both)
    try:
        yield
    finally:
        client.put_item(TableName=table, Item=before)


def _records(failing: Failing) -> dict[str, str]:
    """Where the records of the tenant's name lead, by their Regions."""
    zone = failing.zones[DOMAINS[SHOP][0]]
    answer = failing.granary.client("route53").list_resource_record_sets(HostedZoneId=zone, StartRecordName=_NAME)
    return {
        one["SetIdentifier"]: one["ResourceRecords"][0]["Value"]
        for one in answer["ResourceRecordSets"]
        if one["Name"] == f"{_NAME}."
    }


def _leads_to(failing: Failing, region: str) -> None:
    """Wait until DNS answers with a Region for the tenant."""

    def there() -> bool | None:
        return True if _records(failing) and failing.leads_to(_NAME).split(".")[1] == region else None

    wait_until(there, seconds=_PATIENCE, what=f"{_NAME} to lead to {region}")


def test_a_tenant_fails_over_with_its_group_and_has_no_name_without_a_standby(failing: Failing, scene: Scene) -> None:
    with _standby(scene):
        # A name whose records it may not write is claimed, and no application.
        with without(scene.granary, FAILOVER.tenants, "route53:ChangeResourceRecordSets"):

            def claimed() -> bool | None:
                return True if _NAME in failing.table(HOME).by_name(CLAIMS) else None

            wait_until(claimed, seconds=_PATIENCE, what=f"{_NAME} to be claimed")
            assert _NAME not in {one.name for one in failing.table(HOME).applications(SHOP)}
            assert _records(failing) == {}
        _leads_to(failing, HOME)
        assert set(_records(failing)) == set(REGIONS)

        def seen() -> bool | None:
            told = failing.command("status").stdout
            return True if ": 1 applications, 0 waiting" in told else None

        wait_until(seen, seconds=_PATIENCE, what="the status to tell of the tenant")
        failing.start(SHOP, "with-tenants", AWAY)
        failing.serves(SHOP, AWAY)
        _leads_to(failing, AWAY)
        assert failing.ended(SHOP, "with-tenants").state == "DONE"
        failing.comes_home(SHOP, "with-tenants-back")
        _leads_to(failing, HOME)

    def gone() -> bool | None:
        return True if not _records(failing) else None

    wait_until(gone, seconds=_PATIENCE, what=f"the records of {_NAME} to go")
    assert failing.names(SHOP) == sorted(failing.answers(SHOP))

    def told() -> bool | None:
        return True if f"applications of tenants: 1 taken away ({_NAME})" in failing.history(SHOP) else None

    wait_until(told, seconds=_PATIENCE, what="the history to tell of it")
