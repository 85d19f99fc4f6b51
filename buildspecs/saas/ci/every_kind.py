"""Tenants of every kind that the product's own code knows, in `.build/tenants`: sources are compared by what they get.

What is noted of them in `cdk.out` says whether two sources are the same for tenants. Each branch of the product's code
that makes tenants' stacks is reached by one of them, which a test sees to; what the users' zone does with a record,
they need not show (`buildspecs.saas.reaching_files`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from buildspecs.saas.tenants_digest import NOTE, of_assembly
from buildspecs.synthesis import synthesize
from config.models import Configuration
from lambdas.common.errors import GranaryError
from lambdas.saas.model.record import DeploymentRecord, Size
from stacks.saas.plan import TenantsPlan
from stacks.saas.samples import sample_account, sample_keys

_OUT = Path(".build/tenants").resolve()
_NOTE = Path("cdk.out") / NOTE


def every_kind(configuration: Configuration) -> TenantsPlan:
    """Types, sizes and tiers, in the toolchain's Region and in others, with a standby, and with all that a row may say.

    They do not change with further accounts and Regions.
    """
    home, there = configuration.toolchain, configuration.workloads
    abroad = next((region for region in there.regions if region != home.region), "")
    regions = [*([home.region] if home.region in there.regions else []), *([abroad] if abroad else [])]
    account = sample_account(configuration)
    plain = DeploymentRecord(id="sample", type="silo", account=account, region=regions[0])
    said = replace(
        plain,
        type="pool",
        tags=(("sample", "sample"),),
        parameters=tuple(sorted((name, one.declared.default) for name, one in there.parameters.items())),
        external_id="sample",
    )
    found = [
        plain,
        said,
        *(replace(plain, id=f"sample-{size.value}", size=size.value) for size in Size),
        *(replace(plain, id=f"sample-{name}", size="", tier=name) for name in there.tiers),
        *(replace(plain, id=f"sample-{region}", region=region) for region in regions[1:]),
        *(replace(plain, id="sample-standby", standby_region=region) for region in regions[1:]),
    ]
    return TenantsPlan(artifact_keys=sample_keys(configuration, *regions), deployments=tuple(found))


def note(configuration: Configuration) -> None:
    """Note the digest of what they get; where that cannot be told, nothing, and the release goes to all tenants."""
    _NOTE.unlink(missing_ok=True)
    _OUT.parent.mkdir(exist_ok=True)
    try:
        synthesize(every_kind(configuration), out=_OUT)
        _NOTE.write_text(f"{of_assembly(_OUT)}\n", encoding="utf-8")
    except (GranaryError, OSError, KeyError, ValueError) as error:
        print(f"what tenants get of this source cannot be told, so it goes to all of them: {error}", flush=True)
