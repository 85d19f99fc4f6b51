"""Runs one action: identity, artifacts, configuration, execution, result."""

from __future__ import annotations

import logging
import time

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.codepipeline import artifacts, events, identity, variables
from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.actions.registry import EXECUTORS
from local_cloud.codepipeline.errors import ActionAbandoned, ActionFailed
from local_cloud.codepipeline.executions import ActionExecution, Artifact, Execution
from local_cloud.codepipeline.store import Pipeline

_log = logging.getLogger(__name__)
_PERMISSION_CODES = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def run_action(pipeline: Pipeline, execution: Execution, *, run: ActionExecution) -> None:
    """Execute and record; the outcome is in ``run.status``, nothing is raised."""
    events.action_changed(pipeline, execution, run=run)
    try:
        outcome = _execute(pipeline, execution, run)
    except ActionAbandoned:
        run.end("Abandoned")
    except ActionFailed as failure:
        run.fail(failure.code, failure.message)
    except (ClientError, BotoCoreError) as error:
        run.fail(_failure_type(error), str(error))
    except Exception as error:
        _log.exception("Action %s of pipeline %s", run.action.name, pipeline.definition.name)
        run.fail("SystemUnavailable", f"The local cloud could not execute the action: {error!r}")
    else:
        _record(pipeline, execution, run=run, outcome=outcome)
    events.action_changed(pipeline, execution, run=run)
    with pipeline.changed:
        pipeline.changed.notify_all()


def _failure_type(error: Exception) -> str:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return "PermissionError" if code in _PERMISSION_CODES else "JobFailed"


def _execute(pipeline: Pipeline, execution: Execution, run: ActionExecution) -> Outcome:
    action = run.action
    run.configuration = variables.resolve_configuration(action.configuration, execution.visible_namespaces())
    base = identity.pipeline_identity(pipeline=pipeline, execution=execution)
    own = identity.action_identity(base=base, action=action, execution=execution)
    run.inputs = artifacts.inputs_in_region(execution, action=action, identity=base)
    run.outputs = {
        name: artifacts.new_location(execution.definition, artifact=name, region=action.region)
        for name in action.outputs
    }
    context = Context(pipeline=pipeline, execution=execution, run=run, base=base, identity=own)
    return EXECUTORS[str(action.type)].run(context)


def _record(pipeline: Pipeline, execution: Execution, *, run: ActionExecution, outcome: Outcome) -> None:
    action, revision = run.action, outcome.revision
    with pipeline.changed:
        for name in outcome.written:
            execution.artifacts[name] = Artifact(
                name=name,
                region=action.region,
                copies={action.region: run.outputs[name]},
                revision=revision.revision_id if revision else None,
            )
        if revision is not None:
            execution.source_revisions.append(revision)
        if action.namespace:
            execution.namespaces[action.namespace] = outcome.variables
        run.output_variables = outcome.variables
        execution.updated = time.time()
        run.end("Succeeded")
