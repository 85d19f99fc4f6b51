"""What a synthesis of sample tenants has left: their stacks in order, and what the rules have found; reads files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.common.errors import CliError
from cli.saas.component_report import Finding
from lambdas.saas.model.names import deployment_of_pipeline
from stacks.saas.generated_policy import Deployed

_REPORT = "validation-report.json"
_STACK, _STAGE = "aws:cloudformation:stack", "cdk:cloud-assembly"


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
            f"{kind}-{its}": list(_in_order(out / artifact["properties"]["directoryName"], tenant=f"{kind}-{its}"))
            for artifact in _artifacts(out).values()
            if artifact["type"] == _STAGE
            for kind, its in [_tenant_of(artifact)]
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CliError(f"the synthesis has left no assembly that can be read in {out}: {error!r}") from error
    if not found:
        raise CliError(f"the synthesis has left no tenant in {out}")
    return found


def _tenant_of(artifact: Mapping[str, Any]) -> tuple[str, str]:
    """The stage is below the stack of the pipeline, `silo-acme-pipeline/Deploy`."""
    name = str(artifact["properties"].get("displayName") or artifact.get("displayName")).partition("/")[0]
    found = deployment_of_pipeline(name)
    if found is None:
        raise ValueError(f"{name} is no tenant's pipeline")
    return found


def _artifacts(directory: Path) -> dict[str, Any]:
    artifacts: dict[str, Any] = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    return artifacts


def _in_order(directory: Path, *, tenant: str) -> Iterator[Deployed]:
    stacks = {key: one for key, one in _artifacts(directory).items() if one["type"] == _STACK}
    done: set[str] = set()
    while ready := sorted(
        key for key in stacks.keys() - done if not (set(stacks[key].get("dependencies", ())) & stacks.keys()) - done
    ):
        for key in ready:
            properties = stacks[key]["properties"]
            body = json.loads((directory / properties["templateFile"]).read_text(encoding="utf-8"))
            yield Deployed(tenant=tenant, name=properties.get("stackName", key), body=body)
        done.update(ready)
