"""The definition of the state machine that governs an environment, in Amazon States Language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws

NEWS = "Lake Permissions"
# A first plan may take several runs of the function, each of 15 minutes.
_ROUNDS = 20
# More than there are steps in any plan.
_NO_END = 1_000_000_000
# As long as the lease of a run that died, and somewhat longer.
_BUSY_SECONDS, _BUSY_TRIES = 60, 20
# What a function says itself is so the next time, too.
_SAID = ["GranaryError", "StaleError", "UnprovenError"]
_PLACE = {"account.$": "$.account", "region.$": "$.region"}
# What the function answers is for the states alone; of what it was given, they need account and Region.
_PLANNED = {f"{one}.$": f"$.Payload.{one}" for one in ("plan", "empty", "approvals", "refused", "unseen", "again")}
_NOTICE = {f"{one}.$": f"$.Payload.{one}" for one in ("message", "notification")}


@dataclass(frozen=True, kw_only=True)
class GovernanceStates:
    """Discover and plan, tell what people have to know, apply until nothing is left; every failure tells people.

    `discover`, `apply` and `tell` are ARNs of functions; `source` says on `bus` who speaks. The input has `account` and
    `region`; with a `plan`, and a `proof` of who approves it where somebody does, that plan is applied, and nothing is
    planned; with a `report` (a month, or `last`), that is written, and people are told.
    """

    discover: str
    apply: str
    tell: str
    bus: str
    source: str

    def definition(self) -> dict[str, Any]:
        """The definition, with tokens where a stack resolves them."""
        return {
            "Comment": "Makes the permissions of a lake what config/lake-permissions.yaml says",
            "StartAt": "Begin",
            "States": {**self._planning(), **self._applying(), **self._telling(), **_ends()},
        }

    def _planning(self) -> dict[str, Any]:
        discover = self._invoke(self.discover, _PLACE)
        asks = [{"Variable": f"$.planned.{one}[0]", "IsPresent": True} for one in ("approvals", "unseen")]
        refused = {"Variable": "$.planned.refused", "NumericGreaterThan": 0}
        return {
            "Begin": _pass({"round": 0, "left": _NO_END}, "$.loop", "Whose plan?"),
            "Whose plan?": _choice(
                [
                    (_and(_present("$.plan"), _present("$.proof")), "Approved plan"),
                    (_present("$.plan"), "Given plan"),
                    (_present("$.report"), "Report"),
                ],
                "Discover",
            ),
            "Report": {
                **self._invoke(self.discover, {**_PLACE, "report.$": "$.report"}),
                "ResultSelector": _NOTICE,
                "ResultPath": "$.notice",
                "Next": "Send report",
            },
            "Approved plan": {
                **self._invoke(self.apply, {**_PLACE, "plan.$": "$.plan", "proof.$": "$.proof"}),
                "ResultSelector": {"plan.$": "$.Payload.plan", "approved_by.$": "$.Payload.approved_by"},
                "ResultPath": "$.planned",
                "Next": "Apply",
            },
            "Given plan": _pass({"plan.$": "$.plan", "approved_by": ""}, "$.planned", "Apply"),
            "Discover": {
                **discover,
                "ResultSelector": {**_PLANNED, "approved_by": ""},
                "ResultPath": "$.planned",
                "Next": "News?",
            },
            "News?": _choice(
                [(_and({"Variable": "$.planned.again", "BooleanEquals": False}, {"Or": [*asks, refused]}), "Tell")],
                "What next?",
            ),
            "What next?": _choice(
                [
                    ({"Variable": "$.planned.empty", "BooleanEquals": True}, "As it should be"),
                    (_present("$.planned.approvals[0]"), "Waits for approval"),
                ],
                "Apply",
            ),
        }

    def _applying(self) -> dict[str, Any]:
        payload = {**_PLACE, "plan.$": "$.planned.plan", "approved_by.$": "$.planned.approved_by"}
        apply = self._invoke(self.apply, payload)
        busy = {**_retry(["BusyError"], attempts=_BUSY_TRIES, seconds=_BUSY_SECONDS), "BackoffRate": 1}
        in_time = {"Variable": "$.loop.round", "NumericLessThan": _ROUNDS}
        fewer = {"Variable": "$.applied.left", "NumericLessThanPath": "$.loop.left"}
        own = {"Variable": "$.planned.approved_by", "StringEquals": ""}
        following = "States.MathAdd($.loop.round, 1)"
        return {
            "Apply": {
                **apply,
                "Retry": [busy, *apply["Retry"]],
                # Tables come and go while a plan is applied.
                "Catch": [_catch("Plan anew?", "StaleError", path="$.stale"), *apply["Catch"]],
                "ResultSelector": {"left.$": "$.Payload.left", "failed.$": "$.Payload.failed"},
                "ResultPath": "$.applied",
                "Next": "All done?",
            },
            "All done?": _choice(
                [
                    ({"Variable": "$.applied.left", "NumericEquals": 0}, "Applied"),
                    (_and(in_time, fewer), "Again"),
                ],
                "Not all",
            ),
            "Again": _pass({"round.$": following, "left.$": "$.applied.left"}, "$.loop", "Apply"),
            # What somebody has approved is that plan, and no other.
            "Plan anew?": _choice([(_and(in_time, own), "Anew")], "Stale"),
            "Anew": _pass({"round.$": following, "left": _NO_END}, "$.loop", "Discover"),
            "Stale": _pass({"Error.$": "$.stale.Error", "Cause.$": "$.stale.Cause"}, "$.error", "Tell of failure"),
            "Not all": _pass(
                {
                    "Error": "Lake.NotAll",
                    "Cause.$": "States.Format('{} steps are left, after all that could be done', $.applied.left)",
                },
                "$.error",
                "Tell of failure",
            ),
        }

    def _telling(self) -> dict[str, Any]:
        plainly = {
            "message.$": "States.Format('Permissions of the lake in {}, {}: FAILED, and people could not be told how: "
            "look at {}', $.account, $.region, $$.Execution.Id)",
            "notification": {
                "version": "1.0",
                "source": "custom",
                "content": {
                    "textType": "client-markdown",
                    "title": "Permissions of the lake: FAILED",
                    "description.$": "States.Format('Look at {}', $$.Execution.Id)",
                },
            },
        }
        told = {"message.$": "$.notice.message", "notification.$": "$.notice.notification"}
        return {
            "Tell": {**self._write("$.error"), "Next": "Send"},
            "Send report": {**self._send(told), "Catch": [_catch("Tell plainly")], "Next": "Reported"},
            "Send": {**self._send(told), "Catch": [_catch("Tell plainly")], "Next": "What next?"},
            "Tell of failure": {**self._write("$.untold"), "Next": "Send failure"},
            "Send failure": {
                **self._send(told),
                "Catch": [_catch("Tell plainly", path="$.untold")],
                "Next": "Not as it should be",
            },
            # The last resort; when that fails, the machine's alarm rings.
            "Tell plainly": {**self._send(plainly), "Next": "Not as it should be"},
        }

    def _invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": _integration("lambda:invoke"),
            "Parameters": {"FunctionName": function, "Payload": payload},
            "Retry": [_retry(_SAID, attempts=0), _retry(["States.ALL"], attempts=3)],
            "Catch": [_catch("Tell of failure")],
        }

    def _write(self, error: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": _integration("lambda:invoke"),
            "Parameters": {"FunctionName": self.tell, "Payload.$": "$"},
            "ResultSelector": _NOTICE,
            "ResultPath": "$.notice",
            "Retry": [_retry(["States.ALL"], attempts=3)],
            "Catch": [_catch("Tell plainly", path=error)],
        }

    def _send(self, detail: dict[str, Any]) -> dict[str, Any]:
        entry = {
            "EventBusName": self.bus,
            "Source": self.source,
            "DetailType": NEWS,
            "Detail": {**_PLACE, "execution.$": "$$.Execution.Id", **detail},
        }
        return {
            "Type": "Task",
            "Resource": _integration("events:putEvents"),
            "Parameters": {"Entries": [entry]},
            "ResultPath": "$.sent",
            "Retry": [_retry(["States.ALL"], attempts=6)],
        }


def _ends() -> dict[str, Any]:
    ends: dict[str, Any] = {
        name: {"Type": "Succeed"} for name in ("As it should be", "Waits for approval", "Applied", "Reported")
    }
    return {**ends, "Not as it should be": {"Type": "Fail", "Error": "Lake.NotApplied", "Cause": "People were told"}}


def _pass(made: dict[str, Any], path: str, following: str) -> dict[str, Any]:
    return {"Type": "Pass", "Parameters": made, "ResultPath": path, "Next": following}


def _choice(ways: list[tuple[dict[str, Any], str]], otherwise: str) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": [{**when, "Next": way} for when, way in ways], "Default": otherwise}


def _and(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"And": list(conditions)}


def _present(path: str) -> dict[str, Any]:
    return {"Variable": path, "IsPresent": True}


def _integration(name: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::{name}"


def _retry(errors: list[str], *, attempts: int, seconds: int = 5) -> dict[str, Any]:
    return {"ErrorEquals": errors, "IntervalSeconds": seconds, "MaxAttempts": attempts, "BackoffRate": 2}


def _catch(to: str, error: str = "States.ALL", *, path: str = "$.error") -> dict[str, Any]:
    return {"ErrorEquals": [error], "ResultPath": path, "Next": to}
