"""Synth of one tenant's pipeline: `python -m buildspecs.saas.tenant_synth`, with the record in DEPLOYMENT_*."""

from __future__ import annotations

import os
from pathlib import Path

from buildspecs.saas.artifact_keys import artifact_keys
from buildspecs.saas.synthesis import synthesize
from config.loader import load
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan


def main() -> None:
    """Write the assembly to `cdk.out`."""
    toolchain, record = load().toolchain, _record()
    keys = artifact_keys([toolchain.region, record.region], names=SaasNames(prefix=toolchain.prefix))
    synthesize(TenantsPlan(artifact_keys=keys, deployments=(record,)), out=Path("cdk.out").resolve())


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


main()
