"""Executes CodeBuild builds as processes of this machine."""

from __future__ import annotations

from ministack.services import codebuild as ministack_codebuild

from local_cloud.codebuild import api, pipeline_builds, projects
from local_cloud.codebuild.registration import authorize_builds, refuse_unsupported

__all__ = ["pipeline_builds", "register", "stop_all"]

stop_all = api.stop_all


def register() -> None:
    """Replace ministack's build records by executed builds; once, before the server serves."""
    ministack_codebuild._start_build = api.start_build
    ministack_codebuild._stop_build = api.stop_build
    ministack_codebuild._batch_get_builds = api.batch_get_builds
    projects.register()
    refuse_unsupported()
    authorize_builds()
