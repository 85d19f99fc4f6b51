"""`python -m buildspecs.lake.pipelines`: environments of the lake that have no pipelines yet get them.

Those that have are left alone: they change themselves, each as its own branch says.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.exceptions import ClientError

from buildspecs.artifact_keys import artifact_keys
from buildspecs.synthesis import leave_self_mutation, synthesize
from config.loader import load
from config.models.lake import Section
from lambdas.common.clients import client
from lambdas.common.names import Names
from lambdas.lake.model.names import ROOM
from stacks.lake.plan import LakePlan, Part, Wanted, pipeline_stack

_TIMEOUT_SECONDS = 1800


def main() -> int:
    """Deploy the pipelines that are absent, even after one has failed; 1 when one has."""
    configuration = load()
    section, names = configuration.rooms.get(ROOM), Names(prefix=configuration.toolchain.prefix)
    if not isinstance(section, Section):
        print("there is no lake")
        return 0
    regions = {one.name: one.region for one in section.environments}
    wanted = [Wanted(environment=name, part=part) for name in regions for part in Part]
    absent = [one for one in wanted if not _stands(pipeline_stack(names, one))]
    print(f"{len(wanted) - len(absent)} pipelines stand, {len(absent)} are to be made", flush=True)
    home = configuration.toolchain.region
    keys = artifact_keys([home, *regions.values()], names=names) if absent else {}
    failed = [stack for one in absent if not _deploy(stack := pipeline_stack(names, one), one, keys)]
    if failed:
        print(f"FAILED: {', '.join(failed)}: see above", flush=True)
    return 1 if failed else 0


def _stands(stack: str) -> bool:
    try:
        client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _deploy(stack: str, wanted: Wanted, keys: dict[str, str]) -> bool:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "cdk.out"
        synthesize(LakePlan(artifact_keys=keys, pipelines=(wanted,)), out=out)
        leave_self_mutation(out)
        command = [sys.executable, "self_mutate.py", stack]
        return subprocess.run(command, cwd=out, check=False, timeout=_TIMEOUT_SECONDS).returncode == 0  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
