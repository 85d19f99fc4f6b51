"""Synth of one tenant's pipeline: `python -m buildspecs.saas.tenant_synth`, with the record in DEPLOYMENT_*."""

from __future__ import annotations

import os
from pathlib import Path

from buildspecs.saas.artifact_keys import artifact_keys
from buildspecs.saas.synthesis import synthesize
from config.loader import load
from lambdas.common.names import Names
from lambdas.common.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan


def main() -> None:
    """Write the assembly to `cdk.out`."""
    toolchain = load().toolchain
    record = DeploymentRecord(
        id=os.environ["DEPLOYMENT_ID"],
        type=os.environ["DEPLOYMENT_TYPE"],
        account=os.environ["DEPLOYMENT_ACCOUNT"],
        region=os.environ["DEPLOYMENT_REGION"],
    )
    keys = artifact_keys([toolchain.region, record.region], names=Names(prefix=toolchain.prefix))
    synthesize(TenantsPlan(artifact_keys=keys, deployments=(record,)), out=Path("cdk.out").resolve())


main()
