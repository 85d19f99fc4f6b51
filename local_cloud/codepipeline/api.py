"""The CodePipeline API."""

from __future__ import annotations

from local_cloud.codepipeline import api_executions, api_jobs, api_pipelines
from local_cloud.server.json_api import Service

SERVICE = Service(
    name="codepipeline",
    operations={**api_pipelines.OPERATIONS, **api_executions.OPERATIONS, **api_jobs.OPERATIONS},
)
