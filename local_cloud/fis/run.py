"""One experiment on its way: pending, initiating, running, and one of the ends."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.fis import logs, targets
from local_cloud.fis.actions import ACTIONS, ActionFailedError, Doing, seconds_a_minute
from local_cloud.server import alarms, clients, credentials, events

OVER = ("completed", "stopped", "failed", "cancelled")
_PRINCIPAL = "fis.amazonaws.com"
_POLL_SECONDS = 0.1
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_log = logging.getLogger("local_cloud.fis")


class _HaltError(Exception):
    """The experiment is to stop; the message is the reason."""


class _FailureError(Exception):
    """The experiment failed: `code` and `location` are as ExperimentError has them."""

    def __init__(self, code: str, message: str, location: str) -> None:
        super().__init__(message)
        self.code = code
        self.location = location


class Run:
    """An experiment; `record` is what GetExperiment answers, `resolved` has the targets' ARNs."""

    def __init__(self, *, record: dict[str, Any], account: str, region: str) -> None:
        self.record = record
        self.resolved: dict[str, list[str]] = {}
        self._account = account
        self._region = region
        self._credentials: dict[str, str] = {}
        # When each running action began, and for how many minutes it lasts.
        self._lasting: dict[str, tuple[float, float]] = {}
        self._halted = ""
        self._lock = threading.RLock()

    def told(self) -> dict[str, Any]:
        """The record as it is now."""
        with self._lock:
            return copy.deepcopy(self.record)

    def halt(self, reason: str) -> dict[str, Any]:
        """Ask it to stop; one that is over stays as it is, and the first reason stays. The record right after it."""
        with self._lock:
            if self.record["state"]["status"] not in (*OVER, "stopping"):
                self._halted = reason
                self._change("stopping", "Stopping experiment.")
            return self.told()

    def cancel(self) -> None:
        """End it before it began: the safety lever is engaged."""
        self._end_actions("cancelled", "Experiment was cancelled.")
        self._change("cancelled", "Experiment cancelled because the safety lever is engaged.")

    def execute(self) -> None:
        """Take it to its end, whatever happens."""
        try:
            self._work()
        except _HaltError as halt:
            self.halt(str(halt))
            self._end_actions("stopped", "Action was stopped.")
            self._change("stopped", str(halt))
        except _FailureError as failure:
            error = {"accountId": self._account, "code": failure.code, "location": failure.location}
            self._end_actions("stopped", "Action was stopped.")
            self._change("failed", str(failure), error)
        except Exception as error:
            _log.exception("Experiment %s: the local cloud itself failed", self.record["id"])
            self._change("failed", f"The local cloud itself failed: {error}", {"code": "InternalFailure"})

    def _work(self) -> None:
        self._go_on("initiating", "Experiment is initiating.")
        self._credentials = self._assumed()
        if problem := logs.problem(self.record):
            raise _FailureError("ConfigurationFailure", problem, "logConfiguration")
        self._look_out()
        for name, target in self.record["targets"].items():
            self.resolved[name] = self._resolved(name, target)
        self._go_on("running", "Experiment is running.")
        while self._step():
            time.sleep(_POLL_SECONDS)
            # What is done by now is done, whoever wants the experiment to stop.
            self._end_due()
            if not self._has_more():
                break
            self._look_out()
        self._go_on("completed", "Experiment completed.")

    def _assumed(self) -> dict[str, str]:
        arn, role = self.record["arn"], self.record["roleArn"]
        try:
            return credentials.assume_service_role(role, _PRINCIPAL, self.record["id"], arn, self._account)
        except PermissionError as error:
            raise _FailureError("AuthorizationFailure", f"Unable to assume role. {error}", "roleArn") from error

    def _look_out(self) -> None:
        """Raise _HaltError when somebody, or an alarm, wants the experiment to stop."""
        if self._halted:
            raise _HaltError(self._halted)
        for condition in self.record["stopConditions"]:
            if condition["source"] == "none":
                continue
            state = alarms.state_of(condition["value"])
            if state is None:
                raise _FailureError("ConfigurationFailure", f"{condition['value']} does not exist.", "stopConditions")
            if state == "ALARM":
                raise _HaltError("Experiment halted by stop condition.")

    def _resolved(self, name: str, target: Mapping[str, Any]) -> list[str]:
        location = f"targets.{name}"
        try:
            found = targets.resolve(target, self._client)
        except ClientError as error:
            raise self._failure(error, f"Unable to resolve target {name}. ", location) from error
        if not found and self.record["experimentOptions"]["emptyTargetResolutionMode"] == "fail":
            raise _FailureError("InvalidTarget", "Target resolution returned empty set.", location)
        return found

    def _client(self, service: str) -> Any:
        return clients.client(service, account=self._account, region=self._region, credentials=self._credentials)

    def _failure(self, error: ClientError, prefix: str, location: str) -> _FailureError:
        denied = error.response["Error"]["Code"] in _DENIED
        code = "AuthorizationFailure" if denied else "DependentServiceFailure"
        return _FailureError(code, f"{prefix}{error.response['Error']['Message']}"[:512], location)

    def _end_due(self) -> None:
        # Asked again and again: a test that made minutes longer lets go of what runs, too.
        now, minute = time.monotonic(), seconds_a_minute()
        for name in [name for name, (began, minutes) in self._lasting.items() if now - began >= minutes * minute]:
            del self._lasting[name]
            self._change_action(name, "completed", "Action was completed.")

    def _has_more(self) -> bool:
        return any(one["state"]["status"] in ("pending", "running") for one in self.record["actions"].values())

    def _step(self) -> bool:
        """Begin the actions whose turn it is; whether any is left."""
        actions = self.record["actions"]
        done = {name for name, one in actions.items() if one["state"]["status"] in ("completed", "skipped")}
        waiting = [name for name, one in actions.items() if one["state"]["status"] == "pending"]
        for name in waiting:
            if set(actions[name].get("startAfter", ())) <= done:
                self._begin(name, actions[name])
        return self._has_more()

    def _begin(self, name: str, action: Mapping[str, Any]) -> None:
        hit = [arn for target in action.get("targets", {}).values() for arn in self.resolved[target]]
        if self.record["experimentOptions"]["actionsMode"] == "skip-all":
            self._change_action(name, "skipped", "Action was skipped because actionsMode is skip-all.")
            return
        if action.get("targets") and not hit:
            self._change_action(name, "skipped", "Action was skipped because no targets were found.")
            return
        self._look_out()
        self._change_action(name, "running", "Action is running.")
        doing = Doing(parameters=action.get("parameters", {}), targets=hit, client=self._client)
        try:
            self._lasting[name] = (time.monotonic(), ACTIONS[action["actionId"]].do(doing))
        except ClientError as error:
            failure = self._failure(error, f"Action {name} failed. ", f"actions.{name}")
        except ActionFailedError as error:
            failure = _FailureError(error.code, f"Action {name} failed. {error}", f"actions.{name}")
        else:
            return
        self._change_action(name, "failed", str(failure))
        raise failure

    def _end_actions(self, running: str, reason: str) -> None:
        for name, action in self.record["actions"].items():
            if action["state"]["status"] == "running":
                self._change_action(name, running, reason)
            elif action["state"]["status"] == "pending":
                self._change_action(name, "cancelled", "Action was cancelled.")

    def _change_action(self, name: str, status: str, reason: str) -> None:
        with self._lock:
            action = self.record["actions"][name]
            action["state"] = {"status": status, "reason": reason}
            action |= {"startTime" if status == "running" else "endTime": time.time()}
        logs.write(
            self.record,
            "action-start" if status == "running" else "action-end",
            {"action_name": name, "action_state": action["state"]},
        )

    def _go_on(self, status: str, reason: str) -> None:
        """Come to the next state, unless the experiment is to stop."""
        with self._lock:
            if self._halted:
                raise _HaltError(self._halted)
            self._change(status, reason)

    def _change(self, status: str, reason: str, error: Mapping[str, str] | None = None) -> None:
        with self._lock:
            old, new = self.record["state"], {"status": status, "reason": reason}
            self.record["state"] = new | ({"error": dict(error)} if error else {})
            if status == "initiating" or status in OVER:
                self.record["endTime" if status in OVER else "startTime"] = time.time()
        detail = {
            "experiment-id": self.record["id"],
            "experiment-template-id": self.record["experimentTemplateId"],
            "new-state": new,
            "old-state": {key: old[key] for key in ("status", "reason")},
        }
        arn = self.record["arn"]
        events.publish(self._account, self._region, "aws.fis", "FIS Experiment State Change", detail, [arn])
        logs.write(self.record, "experiment-end" if status in OVER else "experiment-start", {"experiment_state": new})
