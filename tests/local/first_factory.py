"""The README's factory: its own commands set it up, the demo plays on it; tests of the README and of rooms share it.

Setting a factory up takes minutes of both cores: rooms come and go on this one before the README takes it down.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.granary import TOOLCHAIN, WORKLOAD, Granary, wait_until, workspace_folder
from local_cloud.factory.workspace import OVERLAY, Workspace
from local_cloud.server import environment
from tests.unit.docs.markdown import Block, blocks

README = PROJECT_ROOT / "README.md"
COMMAND_SECONDS = 600
DEMO_SECONDS = 900
REPEAT_SECONDS = 240.0

_PROFILE = "[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = {secret}\nregion = us-east-1\n"


@pytest.fixture(scope="session")
def readme_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud of its own, for the README begins with nothing and ends with nothing."""
    with LocalCloud.start(tmp_path_factory.mktemp("readme-cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def readme_workspace(readme_cloud: LocalCloud) -> Workspace:
    """The repository as a person has it after `make setup` and after editing `config/`, which is not committed yet."""
    made = Workspace.create(workspace_folder(readme_cloud), overlay={})
    for name in (".venv", "node_modules"):
        (made.root / name).symlink_to(PROJECT_ROOT / name)
    (made.root / ".git" / "info" / "exclude").write_text(".venv\nnode_modules\n", encoding="utf-8")
    for part, values in OVERLAY.items():
        made.configure(part, values)
    return made


@pytest.fixture(scope="session")
def readme_shell(readme_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return shell_of(readme_cloud, tmp_path_factory.mktemp("aws"))


def shell_of(cloud: LocalCloud, folder: Path) -> dict[str, str]:
    """The environment of a person's shell: the two profiles, which are kept in a folder, and a cloud for AWS."""
    profiles = folder / "config"
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
        # What a page has repeated until something is there begins fast: see `local_cloud.warm`.
        "PATH": os.pathsep.join(
            (str(cloud.settings.programs_dir), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
        ),
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


def executed(page: Path) -> list[Block]:
    """The commands of a page, but for those that it says cannot be executed here."""
    return [block for block in blocks(page, "bash") if not block.reason_not_to_execute]


def tells_of_the_row(block: Block) -> bool:
    """Whether the README puts its row here; until then it sets the factory up."""
    return "aws dynamodb put-item" in block.text


@pytest.fixture(scope="session")
def reader(readme_workspace: Workspace, readme_shell: dict[str, str]) -> Reader:
    """Somebody who has followed the README until the first release was through: the factory stands, without tenants."""
    reader = Reader(workspace=readme_workspace, shell=readme_shell)
    for block in takewhile(lambda block: not tells_of_the_row(block), executed(README)):
        reader.follow(README, block)
    return reader


@pytest.fixture(scope="session")
def demoed(readme_cloud: LocalCloud, reader: Reader) -> Granary:
    """That factory after the whole demo: one of its tenants is retired, two stand."""
    play_demo(readme_cloud, room="saas")
    return Granary(readme_cloud, reader.workspace)


def play_demo(cloud: LocalCloud, *, room: str) -> None:
    """Play a room's demo on the factory that stands in a local cloud."""
    done = subprocess.run(
        [sys.executable, "-m", "local_cloud.factory.demo", "--room", room, "--on", str(cloud.settings.state_dir)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
