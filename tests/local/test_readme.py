"""The README's way to AWS, command by command, against a local cloud: what is written there works, in that order.

The demo plays on the factory that the README's first commands have set up (`first_factory.py`): its own entry, and
all of its acts. Rooms come and go there too (`rooms/`), before the README has it to itself and takes it down.
"""

from __future__ import annotations

from functools import partial
from itertools import dropwhile

from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.status import Phase
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.demo.saas.rows import POOL1, POOL2, SILO1
from local_cloud.factory.granary import HOME, TOOLCHAIN, WORKLOAD, Granary, Row, wait_until
from tests.local.first_factory import README, REPEAT_SECONDS, Reader, executed, tells_of_the_row

RUNBOOK = PROJECT_ROOT / "docs" / "saas" / "runbooks" / "stuck-tenant.md"
ABROAD = "eu-west-1"


def stacks(cloud: LocalCloud, account: str, region: str) -> set[str]:
    """Names of the stacks of an account and Region, but for the bootstraps'."""
    client = cloud.client("cloudformation", account, region)
    pages = client.get_paginator("list_stacks").paginate()
    found = [stack for page in pages for stack in page["StackSummaries"] if stack["StackStatus"] != "DELETE_COMPLETE"]
    return {stack["StackName"] for stack in found} - {"CDKToolkit", "CDKToolkit-granary"}


def test_the_demo_plays_on_that_factory(demoed: Granary) -> None:
    """What the demo says of its tenants is so."""
    wanted = {SILO1: Phase.RETIRED, POOL1: Phase.ACTIVE, POOL2: Phase.ACTIVE}
    assert {row: status and status.phase for row in wanted if (status := demoed.status(row.id))} == wanted


def ended(granary: Granary, row: Row) -> bool | None:
    """Whether a tenant has ended."""
    status = granary.status(row.id)
    return True if status and status.phase in ENDED else None


def test_the_way_to_aws(readme_cloud: LocalCloud, reader: Reader, demoed: Granary) -> None:
    """The README from its row to the last command; the runbook's, while the tenant that both speak of stands.

    The demo's tenants go first: the README has the factory to itself.
    """
    cloud = readme_cloud
    for row in (POOL1, POOL2):
        retired = demoed.cli("retire", "--yes", row.id)
        assert retired.returncode == 0, retired.stderr
    for row in (POOL1, POOL2):
        wait_until(partial(ended, demoed, row), seconds=REPEAT_SECONDS, what=f"the retirement of {row.id}")
    for block in dropwhile(lambda block: not tells_of_the_row(block), executed(README)):
        if "aws dynamodb delete-item" in block.text:
            for command in executed(RUNBOOK):
                reader.follow(RUNBOOK, command)
        if "cdk destroy" in block.text:
            assert_the_tenant_is_gone(cloud)
        reader.follow(README, block)
        if block.repeated_until == "ACTIVE":
            assert_the_tenant_stands(cloud)
    assert_nothing_is_left(cloud)


def assert_the_tenant_stands(cloud: LocalCloud) -> None:
    """Pipeline and component are where the README says."""
    assert "silo-acme-pipeline" in stacks(cloud, TOOLCHAIN, HOME)
    assert stacks(cloud, WORKLOAD, ABROAD) == {"silo-acme-resources"}


def assert_the_tenant_is_gone(cloud: LocalCloud) -> None:
    """The factory stands, and nothing else."""
    assert stacks(cloud, TOOLCHAIN, HOME) == {"granary-toolchain"}
    assert stacks(cloud, TOOLCHAIN, ABROAD) == {"granary-artifacts-eu-west-1"}
    assert stacks(cloud, WORKLOAD, HOME) | stacks(cloud, WORKLOAD, ABROAD) == set()


def assert_nothing_is_left(cloud: LocalCloud) -> None:
    """Only the bootstrap is left, as the README says."""
    for account in (TOOLCHAIN, WORKLOAD):
        assert stacks(cloud, account, HOME) | stacks(cloud, account, ABROAD) == set()
    assert cloud.client("dynamodb", TOOLCHAIN, HOME).list_tables()["TableNames"] == []
    buckets = cloud.client("s3", TOOLCHAIN, HOME).list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets if bucket["Name"].startswith("granary-")] == []
