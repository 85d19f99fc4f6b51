"""What a tenant costs the toolchain account in resources, beside the public sample's design."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from buildspecs.synthesis import synthesize
from lambdas.saas.model.record import DeploymentRecord
from tests.bench.apps.run import run_app
from tests.bench.figures import Figure, Section, at_most, exactly
from tests.bench.tenants import home, plan_of, tenant
from tests.synth.assembly import read_templates
from tests.synth.configurations import AWS

RESOURCES_LIMIT = 4
COSTLY = {"IAM roles": "AWS::IAM::Role", "KMS keys": "AWS::KMS::Key", "buckets": "AWS::S3::Bucket"}


def measure(_rounds: int) -> Section:
    """Count a tenant's resources in the toolchain account, in the toolchain's Region and in another."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder:
        for place, abroad in (("same Region", False), ("cross Region", True)):
            record = tenant(abroad=abroad)
            figures += _of_ours(_ours(record, Path(folder) / f"ours-{abroad}"), place)
            figures += _of_sample(_sample(record, Path(folder) / f"sample-{abroad}"), place)
    return Section(title="Resources that a tenant costs in the toolchain account", figures=tuple(figures))


def _ours(record: DeploymentRecord, out: Path) -> Counter[str]:
    synthesize(plan_of(record), out=out)
    return _count(out)


def _sample(record: DeploymentRecord, out: Path) -> Counter[str]:
    run_app("sample", out=out, context={"record": asdict(record)})
    return _count(out)


def _count(out: Path) -> Counter[str]:
    account, _ = home()
    return Counter(
        resource["Type"]
        for template in read_templates(out, place=AWS, given=())
        if template.account == account
        for _, resource in template.resources()
    )


def _of_ours(found: Counter[str], place: str) -> list[Figure]:
    how = "templates of the toolchain account, counted"
    costly = [exactly(f"{place}: {name}", found[kind], wanted=0, how=how) for name, kind in COSTLY.items()]
    return [at_most(f"{place}: resources", found.total(), limit=RESOURCES_LIMIT, how=f"{how}: {_list(found)}"), *costly]


def _of_sample(found: Counter[str], place: str) -> list[Figure]:
    costly = ", ".join(f"{found[kind]} {name}" for name, kind in COSTLY.items())
    return [
        Figure(
            name=f"{place}: the sample's design",
            value=f"{found.total()} resources",
            how=f"same stage, CDK Pipelines' defaults and cross-account keys: {costly}",
        )
    ]


def _list(found: Counter[str]) -> str:
    return ", ".join(f"{number} {kind.removeprefix('AWS::')}" for kind, number in sorted(found.items()))
