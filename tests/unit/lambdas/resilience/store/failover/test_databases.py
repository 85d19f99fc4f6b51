"""Databases come once, whoever asks how often."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lambdas.common.errors import GranaryError
from lambdas.resilience.model.failover.catalogue import Database, Restore
from lambdas.resilience.store.failover.databases import Arrival, Databases
from tests.unit.lambdas.resilience.failover.aws import A, B, World
from tests.unit.lambdas.resilience.failover.checked import Checked

_ORDERS = Database(name="orders", global_cluster="orders")


@pytest.mark.parametrize(("unplanned", "call"), [(False, "SwitchoverGlobalCluster"), (True, "FailoverGlobalCluster")])
def test_a_global_cluster_gets_its_writer_here(unplanned: bool, call: str) -> None:
    world = World()
    world.rds.cluster("orders", A)
    databases = Databases(rds=Checked(world.rds, "rds"), region=B)
    told = [databases.bring(_ORDERS, unplanned=unplanned) for _ in range(4)]
    assert told[0].waiting.startswith("the writer of global cluster orders comes to eu-west-1 (available)")
    assert told[-1] == Arrival(address="orders-eu-west-1.rds.example.com")
    assert world.rds.begun == [(call, B)]


def test_what_began_at_the_others_word_is_waited_for() -> None:
    world = World()
    world.rds.cluster("orders", A)
    databases = Databases(rds=Checked(world.rds, "rds"), region=B)
    world.rds.clusters["orders"]["Status"] = "upgrading"
    assert databases.bring(_ORDERS, unplanned=False).waiting
    assert world.rds.begun == []


def test_what_rds_does_not_take_now_is_waited_for_and_told() -> None:
    world = World()
    world.rds.cluster("orders", A)
    client = Checked(world.rds, "rds")

    def refuses(**_: str) -> None:
        raise ClientError(
            {"Error": {"Code": "InvalidDBClusterStateFault", "Message": "no reader"}}, "SwitchoverGlobalCluster"
        )

    world.rds.switchover_global_cluster = refuses  # type: ignore[method-assign]
    told = Databases(rds=client, region=B).bring(_ORDERS, unplanned=False)
    assert told.waiting == "the writer of global cluster orders comes to eu-west-1 (no reader)"


def test_a_global_cluster_without_a_member_here_is_told() -> None:
    world = World()
    world.rds.cluster("orders", A)
    with pytest.raises(GranaryError, match="has no cluster in ap-south-1"):
        Databases(rds=Checked(world.rds, "rds"), region="ap-south-1").bring(_ORDERS, unplanned=False)


def test_backups_are_restored_once_and_where_they_are() -> None:
    world = World()
    reports = Database(name="reports", restores={B: Restore(backups="arn", instance="reports", subnet_group="s")})
    told = [Databases(rds=Checked(world.rds, "rds"), region=B).bring(reports, unplanned=True) for _ in range(3)]
    assert [one.waiting for one in told] == ["instance reports is being restored", "instance reports is creating", ""]
    assert world.rds.begun == [("Restore", "arn")]
    with pytest.raises(GranaryError, match="no backups are replicated there"):
        Databases(rds=Checked(world.rds, "rds"), region=A).bring(reports, unplanned=True)
