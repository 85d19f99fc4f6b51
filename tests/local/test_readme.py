"""The README's way to AWS, command by command, against a local cloud: what is written there works, in that order.

The demo plays on the factory that the README's first commands have set up: its own entry, and all of its acts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.status import Phase
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.demo.saas.rows import POOL1, POOL2, SILO1
from local_cloud.factory.granary import HOME, TOOLCHAIN, WORKLOAD, Granary, Row, wait_until, workspace_folder
from local_cloud.factory.workspace import OVERLAY, Workspace
from local_cloud.server import environment
from tests.unit.docs.markdown import Block, blocks

README = PROJECT_ROOT / "README.md"
RUNBOOK = PROJECT_ROOT / "docs" / "saas" / "runbooks" / "stuck-tenant.md"
ABROAD = "eu-west-1"
COMMAND_SECONDS = 180
DEMO_SECONDS = 900
REPEAT_SECONDS = 240.0

# A whole story each, beside the scenarios.
pytestmark = pytest.mark.timeout(1500)

_PROFILE = "[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = {secret}\nregion = us-east-1\n"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud of its own, for the README begins with nothing and ends with nothing."""
    with LocalCloud.start(tmp_path_factory.mktemp("readme-cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def workspace(cloud: LocalCloud) -> Workspace:
    """The repository as a person has it after `make setup` and after editing `config/`, which is not committed yet."""
    made = Workspace.create(workspace_folder(cloud), overlay={})
    for name in (".venv", "node_modules"):
        (made.root / name).symlink_to(PROJECT_ROOT / name)
    (made.root / ".git" / "info" / "exclude").write_text(".venv\nnode_modules\n", encoding="utf-8")
    for part, values in OVERLAY.items():
        made.configure(part, values)
    return made


@pytest.fixture(scope="module")
def shell(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a person's shell: the two profiles, and this cloud for AWS."""
    profiles = tmp_path_factory.mktemp("aws") / "config"
    accounts = {"toolchain": TOOLCHAIN, "workload": WORKLOAD}
    profiles.write_text(
        "".join(
            _PROFILE.format(name=name, account=account, secret=environment.ROOT_SECRET)
            for name, account in accounts.items()
        ),
        encoding="utf-8",
    )
    who = {"NAME": "Granary", "EMAIL": "granary@example.com"}
    return {
        **{name: value for name, value in environment.without_aws(os.environ).items() if "proxy" not in name.lower()},
        **environment.trust(cloud.settings),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()},
        # What would leave this machine fails: the AWS CLI does not keep to the endpoint for every service.
        **{f"{scheme}_PROXY": "http://127.0.0.1:9" for scheme in ("HTTP", "HTTPS")},
        "NO_PROXY": "127.0.0.1,localhost",
        "AWS_CONFIG_FILE": str(profiles),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # The rules are checked by the synth tests; here they would only take time.
        "CDK_VALIDATION": "false",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
    }


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A person who types what a page says."""

    workspace: Workspace
    shell: dict[str, str]

    def follow(self, page: Path, block: Block) -> None:
        """Execute a block; one that is to be repeated, until it prints what the page says."""
        if not block.repeated_until:
            self._run(page, block)
            return

        def said() -> bool | None:
            return True if block.repeated_until in self._run(page, block) else None

        wait_until(said, seconds=REPEAT_SECONDS, what=f"{page.name}:{block.line} to print {block.repeated_until}")

    def _run(self, page: Path, block: Block) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=self.workspace.root,
            env=self.shell,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        told = f"{page.name}:{block.line}\n{block.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert done.returncode == 0, told
        return done.stdout


def stacks(cloud: LocalCloud, account: str, region: str) -> set[str]:
    """Names of the stacks of an account and Region, but for the bootstrap's."""
    client = cloud.client("cloudformation", account, region)
    pages = client.get_paginator("list_stacks").paginate()
    found = [stack for page in pages for stack in page["StackSummaries"] if stack["StackStatus"] != "DELETE_COMPLETE"]
    return {stack["StackName"] for stack in found} - {"CDKToolkit"}


def executed(page: Path) -> list[Block]:
    """The commands of a page, but for those that it says cannot be executed here."""
    return [block for block in blocks(page, "bash") if not block.reason_not_to_execute]


def tells_of_the_row(block: Block) -> bool:
    """Whether the README puts its row here; until then it sets the factory up."""
    return "aws dynamodb put-item" in block.text


@pytest.fixture(scope="module")
def reader(workspace: Workspace, shell: dict[str, str]) -> Reader:
    """Somebody who has followed the README until the first release was through: the factory stands, without tenants."""
    reader = Reader(workspace=workspace, shell=shell)
    for block in takewhile(lambda block: not tells_of_the_row(block), executed(README)):
        reader.follow(README, block)
    return reader


@pytest.mark.usefixtures("reader")
def test_the_demo_plays_on_that_factory(cloud: LocalCloud, workspace: Workspace) -> None:
    """The whole demo; then its tenants go, and the README has the factory to itself."""
    granary = Granary(cloud, workspace)
    done = subprocess.run(
        [sys.executable, "-m", "local_cloud.factory.demo", "--on", str(cloud.settings.state_dir)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    wanted = {SILO1: Phase.RETIRED, POOL1: Phase.ACTIVE, POOL2: Phase.ACTIVE}
    assert {row: status and status.phase for row in wanted if (status := granary.status(row.id))} == wanted
    for row in (POOL1, POOL2):
        retired = granary.cli("retire", "--yes", row.id)
        assert retired.returncode == 0, retired.stderr
    for row in (POOL1, POOL2):
        wait_until(partial(ended, granary, row), seconds=REPEAT_SECONDS, what=f"the retirement of {row.id}")


def ended(granary: Granary, row: Row) -> bool | None:
    """Whether a tenant has ended."""
    status = granary.status(row.id)
    return True if status and status.phase in ENDED else None


def test_the_way_to_aws(cloud: LocalCloud, reader: Reader) -> None:
    """The README from its row to the last command; the runbook's, while the tenant that both speak of stands."""
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
