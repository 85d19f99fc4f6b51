"""The plan file of a synth of tenants; free of the CDK, so that builds can write one without starting it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lambdas.common.versioned_json import Text
from lambdas.saas.model.record import DeploymentRecord


@dataclass(frozen=True, kw_only=True)
class TenantsPlan(Text):
    """Which tenants to synthesize, and the artifact keys by Region."""

    mode: ClassVar[str] = "tenants"
    artifact_keys: dict[str, str]
    deployments: tuple[DeploymentRecord, ...]

    def write(self, path: Path) -> None:
        """Write the plan for `-c tenants=PATH`."""
        path.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> TenantsPlan:
        """Read what `write` wrote; raises ValueError for anything else."""
        return cls.from_json(path.read_text(encoding="utf-8"))
