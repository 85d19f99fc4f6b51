"""What Step Functions does and ministack does not.

The state machine's role decides what may be called: without that, a role that lacks a permission would work here and
fail in AWS. A function that fails fails the task that waits for a token. A path may give a map's concurrency. An
execution that is stopped takes its tasks along: nobody can answer them any more, and a map begins nothing further.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import lambda_svc, stepfunctions

from local_cloud.server.credentials import assume_service_role
from local_cloud.server.iam_gaps import Request, resource_of

SERVICE_PRINCIPAL = "states.amazonaws.com"
_PUT_EVENTS = "arn:aws:states:::events:putEvents"
# Of the task that a thread, or one that it has started, executes: its execution, and the execution's context object.
_execution: ContextVar[Mapping[str, Any]] = ContextVar("execution")
_context: ContextVar[Mapping[str, Any]] = ContextVar("context object")
# The execution that a task belongs to, by the task's token; answers that come too late need it as well.
_TASKS: dict[str, Mapping[str, Any]] = {}


def register() -> None:
    """Patch ministack; once, before it serves."""
    resource_of("states", _machine_of_token)
    _remember_executions()
    _authorize_functions()
    _authorize_events()
    _authorize_maps()
    _stop_tasks()


def current_execution() -> Mapping[str, Any]:
    """The execution that the task belongs to which is being executed."""
    return _execution.get()


def _remember_executions() -> None:
    """Tasks are executed in a thread of their execution or of their map's item, and know which it is."""
    execute_task = stepfunctions._execute_task

    def task(state: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        _execution.set(execution)
        _context.set(ctx)
        if execution.get("mapRunArn"):
            _refuse_if_stopped(execution)
        return execute_task(state, raw_input, execution, ctx)

    invoke = stepfunctions._invoke_with_callback

    def invoke_with_callback(resource: str, data: Any, token: str, state: dict[str, Any]) -> Any:
        execution = _TASKS[token] = current_execution()
        # It may be another try of a task whose execution was stopped meanwhile.
        _refuse_if_stopped(execution)
        result = invoke(resource, data, token, state)
        _refuse_if_stopped(execution)
        return result

    stepfunctions._invoke_with_callback = invoke_with_callback

    stepfunctions._execute_task = task


def _authorize_functions() -> None:
    call = stepfunctions._call_lambda

    def call_lambda(reference: str, event: Any) -> Any:
        function, config, name = lambda_svc._get_func_record_for_ref(reference)
        try:
            if function and config:
                authorize(current_execution(), "lambda:InvokeFunction", config["FunctionArn"], what=name)
            return call(reference, event)
        except stepfunctions._ExecutionError as error:
            _fail_waiting(_context.get(), error)
            raise

    stepfunctions._call_lambda = call_lambda


def _authorize_events() -> None:
    put = stepfunctions._SERVICE_DISPATCH[_PUT_EVENTS]

    def put_events(resource: str, data: Mapping[str, Any]) -> Any:
        region, account = str(current_execution()["stateMachineArn"]).split(":")[3:5]
        for entry in data.get("Entries", ()):
            bus = f"arn:aws:events:{region}:{account}:event-bus/{entry.get('EventBusName', 'default')}"
            said = {"events:detail-type": entry.get("DetailType"), "events:source": entry.get("Source")}
            authorize(current_execution(), "events:PutEvents", bus, what="an event", given=said)
        return put(resource, data)

    stepfunctions._SERVICE_DISPATCH[_PUT_EVENTS] = put_events


def _machine_of_token(request: Request) -> str | None:
    """A token belongs to the machine whose task waits for it; the permission to answer is on that."""
    execution = _TASKS.get(str(request.body.get("taskToken", "")))
    return str(execution["stateMachineArn"]) if execution else None


def _fail_waiting(context: Mapping[str, Any], error: Any) -> None:
    """ministack would go on waiting for the token that the function has never had."""
    waiting = stepfunctions._task_tokens.get(context.get("Task", {}).get("Token"))
    if waiting:
        waiting["error"] = {"Error": error.error, "Cause": error.cause}
        waiting["event"].set()


def _stop_tasks() -> None:
    stop = stepfunctions._stop_execution

    def stop_execution(data: dict[str, Any]) -> Any:
        answer = stop(data)
        for token, execution in list(_TASKS.items()):
            if _main_execution(execution)["executionArn"] == data.get("executionArn") and is_stopped(execution):
                waiting = stepfunctions._task_tokens.pop(token, None)
                if waiting:
                    waiting["event"].set()
        return answer

    fail = stepfunctions._fail_execution

    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        if not is_stopped(execution):
            fail(execution, error, cause)

    stepfunctions._stop_execution = stop_execution
    stepfunctions._fail_execution = fail_execution


def is_stopped(execution: Mapping[str, Any]) -> bool:
    """Whether an execution, or the one whose map it belongs to, was stopped."""
    return bool(_main_execution(execution)["status"] == "ABORTED")


def _main_execution(execution: Mapping[str, Any]) -> Mapping[str, Any]:
    """The execution itself, or of a map run's child the one whose map it is."""
    run = stepfunctions._map_runs.get(execution.get("mapRunArn", ""))
    found: Mapping[str, Any] | None = stepfunctions._executions.get(run["executionArn"]) if run else None
    return found or execution


def _refuse_if_stopped(execution: Mapping[str, Any]) -> None:
    if is_stopped(execution):
        raise stepfunctions._ExecutionError("ExecutionAborted", "the execution was stopped")


def _authorize_maps() -> None:
    run_map, read_items = stepfunctions._run_distributed_map, stepfunctions._read_map_items

    def distributed_map(  # noqa: PLR0917 - the signature is ministack's
        state: dict[str, Any], raw_input: Any, effective: Any, iterator: Any, execution: dict[str, Any], ctx: Any
    ) -> Any:
        _execution.set(execution)
        machine = execution["stateMachineArn"]
        authorize(execution, "states:StartExecution", machine, what="a map run's child execution")
        if path := state.get("MaxConcurrencyPath"):
            limit = stepfunctions._resolve_path_or_ctx(path, effective, ctx)
            state = {**state, "MaxConcurrency": int(limit)}
        return run_map(state, raw_input, effective, iterator, execution, ctx)

    def map_items(reader: dict[str, Any], effective: Any, ctx: Any) -> Any:
        where = stepfunctions._resolve_params_obj(reader.get("Parameters", {}), effective, ctx)
        resource = f"arn:aws:s3:::{where.get('Bucket')}/{where.get('Key')}"
        authorize(current_execution(), "s3:GetObject", resource, what="the items of a map run")
        return read_items(reader, effective, ctx)

    stepfunctions._run_distributed_map = distributed_map
    stepfunctions._read_map_items = map_items


def authorize(
    execution: Mapping[str, Any], action: str, resource: str, *, what: str, given: Mapping[str, Any] | None = None
) -> None:
    """Let the role of the execution's state machine decide, as Step Functions acts with nothing else.

    `given` are condition keys of the request.
    """
    machine = stepfunctions._state_machines.get(_machine_arn(execution))
    if machine is None:
        return  # it was deleted meanwhile; its executions end as they are
    role_arn = machine["roleArn"]
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    try:
        assume_service_role(role_arn, SERVICE_PRINCIPAL, "step-functions", machine["stateMachineArn"], account)
    except PermissionError as error:
        raise stepfunctions._ExecutionError("States.TaskFailed", str(error)) from error
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=role_arn.split(":")[3],
        service_context=dict(given or {}),
        secure_transport=True,
    )
    if iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account)).decision != "Allow":
        message = f"{role_arn} is not authorized to perform: {action} on resource: {resource} ({what})"
        raise stepfunctions._ExecutionError("States.TaskFailed", f"AccessDeniedException: {message}")


def _machine_arn(execution: Mapping[str, Any]) -> str:
    # A map run's children belong to `<machine>/<label>`.
    return str(execution["stateMachineArn"]).split("/")[0]
