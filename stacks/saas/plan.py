"""The plan file of a synth of tenants; free of the CDK, so that builds can write one without starting it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lambdas.saas.model.record import DeploymentRecord


@dataclass(frozen=True, kw_only=True)
class TenantsPlan:
    """Which tenants to synthesize, and the artifact keys by Region."""

    artifact_keys: dict[str, str]
    deployments: tuple[DeploymentRecord, ...]

    def write(self, path: Path) -> None:
        """Write the plan for `-c tenants=PATH`."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> TenantsPlan:
        """Read what `write` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            artifact_keys=data["artifact_keys"],
            deployments=tuple(DeploymentRecord.from_json(json.dumps(record)) for record in data["deployments"]),
        )
