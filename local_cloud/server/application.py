"""The ASGI application: ministack with our services registered. Import only in a server process."""

from __future__ import annotations

from typing import Any

from ministack import app as ministack_app
from ministack.core import lambda_runtime

from local_cloud import (
    accessanalyzer,
    athena,
    codebuild,
    codecommit,
    codepipeline,
    crawlers,
    ecs,
    fis,
    global_tables,
    glue,
    lakeformation,
    route53,
    securityhub,
)
from local_cloud.codecommit import git_http
from local_cloud.server import (
    alarms,
    control,
    credentials,
    event_buses,
    event_conditions,
    handler_errors,
    iam_gaps,
    log_resources,
    made_types,
    moto_forwarder,
    quotas,
    rds_gaps,
    regions,
    resource_types,
    session_lengths,
    stack_roles,
    step_functions,
    stream_retries,
    table_conditions,
)


def build() -> Any:
    """Register everything and return the application."""
    credentials.keep_sessions()
    iam_gaps.close()
    event_buses.register()
    event_conditions.register()
    table_conditions.register()
    regions.register()
    log_resources.register()
    securityhub.register()
    accessanalyzer.register()
    fis.register()
    moto_forwarder.register()
    quotas.register()
    rds_gaps.register()
    resource_types.register()
    made_types.register()
    session_lengths.register()
    handler_errors.register()
    stream_retries.register()
    stack_roles.register()
    step_functions.register()
    global_tables.register()
    glue.register()
    lakeformation.register()
    athena.register()
    crawlers.register()
    alarms.register()
    route53.register()
    ecs.register()
    codebuild.register()
    codecommit.register()
    codepipeline.register()
    control.hook_dispatch()
    return control.with_control_endpoints(regions.with_outages(git_http.with_git(ministack_app.app)))


def shut_down() -> None:
    """End the processes that the server started: builds, jobs, tasks and Lambda workers."""
    codebuild.stop_all()
    ecs.stop_all()
    glue.stop_all()
    lambda_runtime.reset()
