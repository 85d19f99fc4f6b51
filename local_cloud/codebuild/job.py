"""One build to execute: its record, its files, and whose credentials it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.codebuild.control import BuildControl
from local_cloud.codebuild.pipeline_builds import PipelineBuild
from local_cloud.server import clients


@dataclass(kw_only=True)
class Job:
    """What the executor's parts share about one build."""

    build: dict[str, Any]
    account: str
    region: str
    directory: Path
    project: Mapping[str, Any]
    pipeline: PipelineBuild | None = None
    control: BuildControl = field(default_factory=BuildControl)
    credentials: dict[str, str] = field(default_factory=dict)

    @property
    def source_dir(self) -> Path:
        """Where the primary source is: CODEBUILD_SRC_DIR."""
        return self.directory / "src"

    @property
    def log_file(self) -> Path:
        """The build's log, line for line what CloudWatch Logs gets."""
        return self.directory / "build.log"

    def secondary_source_dir(self, name: str) -> Path:
        """Where a secondary source is: CODEBUILD_SRC_DIR_<name>."""
        return self.directory / f"src-{name}"

    def client(self, service: str) -> Any:
        """A boto3 client with the credentials of the build's service role."""
        return clients.client(service, account=self.account, region=self.region, credentials=self.credentials)
