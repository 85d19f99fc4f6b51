"""Synth of one pipeline of the lake, which LAKE_PIPELINE names as `<environment>/<part>`."""

from __future__ import annotations

import os
from pathlib import Path

from buildspecs.artifact_keys import artifact_keys
from buildspecs.synthesis import leave_self_mutation, synthesize
from config.loader import load
from config.models.lake import Section
from lambdas.common.errors import GranaryError
from lambdas.common.names import Names
from lambdas.lake.model.names import ROOM
from stacks.lake.plan import LakePlan, Wanted


def main() -> None:
    """Write the assembly to `cdk.out`, and beside it what the self-mutation runs.

    Raises:
        GranaryError: this source's configuration has no such environment.
    """
    configuration, wanted = load(), Wanted.of(os.environ["LAKE_PIPELINE"])
    section, toolchain = configuration.rooms.get(ROOM), configuration.toolchain
    environments = section.environments if isinstance(section, Section) else ()
    regions = [one.region for one in environments if one.name == wanted.environment]
    if not regions:
        raise GranaryError(
            f"config/lake.yaml of this source has no environment {wanted.environment}: merge the commit that brings "
            "it into the branch that this pipeline follows"
        )
    keys = artifact_keys([toolchain.region, *regions], names=Names(prefix=toolchain.prefix))
    out = Path("cdk.out").resolve()
    # CI/CD has seen the factory's branch, and the environment's is another.
    synthesize(LakePlan(artifact_keys=keys, pipelines=(wanted,)), out=out, validated=True)
    leave_self_mutation(out)


if __name__ == "__main__":
    main()
