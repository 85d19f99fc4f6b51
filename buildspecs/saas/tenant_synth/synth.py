"""Synth of one tenant's pipeline, with the record in DEPLOYMENT_*."""

from __future__ import annotations

import os
from pathlib import Path

from buildspecs.artifact_keys import artifact_keys
from buildspecs.saas.build_steps import make_ready
from buildspecs.synthesis import leave_self_mutation, synthesize
from config.loader import load
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan


def main() -> None:
    """Write the assembly to `cdk.out`, and beside it what the self-mutation runs, which has no other source."""
    toolchain, record, out = load().toolchain, _record(), Path("cdk.out").resolve()
    keys = artifact_keys(
        [toolchain.region, *(region for _, region in record.places)], names=SaasNames(prefix=toolchain.prefix)
    )
    make_ready()
    synthesize(TenantsPlan(artifact_keys=keys, deployments=(record,)), out=out)
    leave_self_mutation(out)


def _record() -> DeploymentRecord:
    env = os.environ
    if text := env.get("DEPLOYMENT_RECORD"):
        return DeploymentRecord.from_json(text)
    return DeploymentRecord(
        id=env["DEPLOYMENT_ID"],
        type=env["DEPLOYMENT_TYPE"],
        account=env["DEPLOYMENT_ACCOUNT"],
        region=env["DEPLOYMENT_REGION"],
    )


if __name__ == "__main__":
    main()
