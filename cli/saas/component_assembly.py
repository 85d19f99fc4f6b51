"""What a synthesis of sample tenants has left: their stacks in order, and what the rules have found; reads files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from cli.common.errors import CliError
from cli.saas.component_report import Finding
from lambdas.common.cloud_assembly import AssembledStack, stacks_in, stages_in
from lambdas.saas.model.names import deployment_of_pipeline
from stacks.saas.generated_policy import Deployed

_REPORT = "validation-report.json"


def findings(out: Path) -> list[Finding]:
    """What cdk-nag's and the CDK's rules have found, each once; nothing when there is no report."""
    path = out / _REPORT
    if not path.exists():
        return []
    report = json.loads(path.read_text(encoding="utf-8"))
    found = {
        Finding(rule=one["ruleName"], what=one.get("description", ""), where=where)
        for plugin in report["pluginReports"]
        for one in plugin["violations"]
        for where in {place.get("constructPath", "") for place in one.get("violatingConstructs", [{}])}
    }
    return sorted(found, key=lambda one: (one.rule, one.where))


def tenants(out: Path) -> dict[str, list[Deployed]]:
    """The stacks of each sample tenant, by the name that theirs begin with, in the order in which they are deployed.

    Raises:
        CliError: there are none, or not what a synthesis leaves.
    """
    try:
        found = {
            tenant: list(_in_order(list(stacks_in(folder)), tenant=tenant))
            for path, folder in stages_in(out)
            for tenant in [_tenant_of(path)]
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CliError(f"the synthesis has left no assembly that can be read in {out}: {error!r}") from error
    if not found:
        raise CliError(f"the synthesis has left no tenant in {out}")
    return found


def _tenant_of(stage: str) -> str:
    """The stage is below the stack of the pipeline, `silo-acme-pipeline/Deploy`."""
    name = stage.partition("/")[0]
    found = deployment_of_pipeline(name)
    if found is None:
        raise ValueError(f"{name} is no tenant's pipeline")
    return "-".join(found)


def _in_order(found: Sequence[AssembledStack], *, tenant: str) -> Iterator[Deployed]:
    left = {one.key: one for one in found}
    while ready := sorted(key for key, one in left.items() if not one.after & left.keys()):
        yield from (Deployed(tenant=tenant, name=one.name, body=one.body) for one in map(left.pop, ready))
