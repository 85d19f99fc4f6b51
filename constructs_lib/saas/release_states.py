"""The definition of the release state machine, in Amazon States Language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws

from lambdas.saas.model.release_turns import NO_CAPACITY

# People approve within working days.
APPROVAL_SECONDS = 7 * 24 * 3600

_RUN = "$$.Execution.Name"
# What passes with time; the functions are safe to invoke again.
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
_PASSING = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]


@dataclass(frozen=True, kw_only=True)
class ReleaseStates:
    """Begin, then one decision after the other until it is an end: see `lambdas/saas/release/decide.py`.

    `release` and `advance` are ARNs of functions, `bucket` has the rings' deployments.
    """

    release: str
    advance: str
    bucket: str
    pipeline_timeout_seconds: int

    def definition(self) -> dict[str, Any]:
        """The definition, with tokens where a stack resolves them."""
        return {
            "Comment": "Takes a release from ring to ring",
            "StartAt": "Begin",
            "States": {
                "Begin": self._step(
                    {
                        "op": "begin",
                        "run.$": _RUN,
                        "execution.$": "$$.Execution.Id",
                        "release.$": "$.release",
                        "resumes.$": "$.resumes",
                        # A path to what may be missing would fail the state.
                        "input.$": "$$.Execution.Input",
                    }
                ),
                "Next": self._step(
                    {"op": "next", "run.$": _RUN, "action.$": "$.action", "ring.$": "$.ring", "answer.$": "$.answer"}
                ),
                "What next?": _choice(),
                "Ask": self._ask(),
                "Advance": self._map("advance"),
                "Roll back": self._map("roll_back"),
                "Bake": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Next"},
                "Broken": self._broken(),
                "Could not go on": {"Type": "Fail", "Error": "Broken", "CausePath": "$.error.Cause"},
                "Stopped": {"Type": "Fail", "Error": "Stopped", "CausePath": "$.reason"},
                "Superseded": {"Type": "Succeed"},
                "Completed": {"Type": "Succeed"},
            },
        }

    def _step(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": _integration("lambda:invoke"),
            "Parameters": {"FunctionName": self.release, "Payload": payload},
            "OutputPath": "$.Payload",
            "Retry": [_retry(["States.ALL"], attempts=6)],
            "Catch": [_catch("Broken", "$.error")],
            "Next": "Next" if payload["op"] == "begin" else "What next?",
        }

    def _ask(self) -> dict[str, Any]:
        payload = {"op": "ask", "run.$": _RUN, "ring.$": "$.ring", "token.$": "$$.Task.Token"}
        return {
            "Type": "Task",
            "Resource": _integration("lambda:invoke.waitForTaskToken"),
            "Parameters": {"FunctionName": self.release, "Payload": payload},
            "ResultPath": "$.answer",
            "TimeoutSeconds": APPROVAL_SECONDS,
            "Retry": [_retry(_PASSING, attempts=6)],
            "Catch": [_catch("Next", "$.answer")],
            "Next": "Next",
        }

    def _map(self, op: str) -> dict[str, Any]:
        """One ring: a map run over its deployments, none of which fails it."""
        return {
            "Type": "Map",
            "Label": op.replace("_", ""),
            "ItemReader": {
                "Resource": _integration("s3:getObject"),
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": self.bucket, "Key.$": "$.items_key"},
            },
            "ItemSelector": {"run.$": _RUN, "ring.$": "$.ring", "item.$": "$$.Map.Item.Value"},
            "MaxConcurrencyPath": "$.concurrency",
            "ToleratedFailurePercentage": 100,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": f"Turn ({op})",
                "States": self._turn(op),
            },
            # Beside what the next decision needs; a digit a deployment.
            "ResultPath": "$.outcomes",
            "Retry": [_retry(["States.ItemReaderFailed"], attempts=3)],
            "Catch": [_catch("Broken", "$.error")],
            "Next": "Next",
        }

    def _turn(self, op: str) -> dict[str, Any]:
        turn = {"run.$": "$.run", "ring.$": "$.ring", "item.$": "$.item"}
        return {
            f"Turn ({op})": {
                "Type": "Task",
                "Resource": _integration("lambda:invoke.waitForTaskToken"),
                "Parameters": {
                    "FunctionName": self.advance,
                    "Payload": {"op": op, **turn, "token.$": "$$.Task.Token"},
                },
                # All results of a ring must fit into one state: a digit each.
                "OutputPath": "$.count",
                "TimeoutSeconds": self.pipeline_timeout_seconds,
                "Retry": [
                    # Somebody else holds the deployment: a build, mostly, and that takes minutes.
                    _retry(["Busy", "Fault", *_PASSING], attempts=8, seconds=10),
                    # CodeBuild's queue is full: it is waited for as long as a ring's other builds may take.
                    _retry([NO_CAPACITY], attempts=60, seconds=60),
                ],
                "Catch": [_catch(f"Give up ({op})", "$.error")],
                "End": True,
            },
            f"Give up ({op})": {
                "Type": "Task",
                "Resource": _integration("lambda:invoke"),
                "Parameters": {
                    "FunctionName": self.advance,
                    "Payload": {"op": "give_up", **turn, "error.$": "$.error"},
                },
                "OutputPath": "$.Payload.count",
                "Retry": [_retry(["States.ALL"], attempts=6)],
                "End": True,
            },
        }

    def _broken(self) -> dict[str, Any]:
        payload = {
            "op": "broken",
            "run.$": _RUN,
            "execution.$": "$$.Execution.Id",
            "input.$": "$$.Execution.Input",
            "error.$": "$.error",
        }
        return {
            "Type": "Task",
            "Resource": _integration("lambda:invoke"),
            "Parameters": {"FunctionName": self.release, "Payload": payload},
            "ResultPath": "$.written",
            "Retry": [_retry(["States.ALL"], attempts=6)],
            "Next": "Could not go on",
        }


def _choice() -> dict[str, Any]:
    ways = {
        "approve": "Ask",
        "advance": "Advance",
        "roll_back": "Roll back",
        "wait": "Bake",
        "finish": "Completed",
        "superseded": "Superseded",
    }
    return {
        "Type": "Choice",
        "Choices": [{"Variable": "$.action", "StringEquals": word, "Next": way} for word, way in ways.items()],
        "Default": "Stopped",
    }


def _integration(name: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::{name}"


def _retry(errors: list[str], *, attempts: int, seconds: int = 2) -> dict[str, Any]:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2,
        "MaxDelaySeconds": 120,
        "JitterStrategy": "FULL",
    }


def _catch(to: str, path: str) -> dict[str, Any]:
    return {"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": to}
