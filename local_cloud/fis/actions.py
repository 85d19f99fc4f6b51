"""What experiments can do here: each action, its targets, its parameters, and how it is done.

https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_cloud.server import faults

_MINUTE = 60.0
# Minutes of a wait.
_SHORTEST, _LONGEST = 1, 12 * 60
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


class ActionFailedError(Exception):
    """An action failed; `code` is as ExperimentError has it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What an action gets: its parameters, its targets, and clients with the credentials of the experiment's role."""

    parameters: Mapping[str, str]
    targets: Sequence[str]
    client: Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action: `do` begins it and tells for how many minutes it lasts."""

    description: str
    do: Callable[[Doing], float]
    targets: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Mapping[str, str]], str | None] = lambda _parameters: None


def seconds_a_minute() -> float:
    """How long a minute is now: a test makes it shorter or longer, also while an experiment runs."""
    return float(faults.board.setting("fis", "seconds_a_minute") or _MINUTE)


def _minutes(duration: str) -> float | None:
    """The minutes of a duration in ISO 8601; None when it is none."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + minutes + rest / 60


def _stop_tasks(doing: Doing) -> float:
    for arn in doing.targets:
        cluster = arn.split("/")[1]
        doing.client("ecs").stop_task(cluster=cluster, task=arn, reason="Task stopped by AWS FIS")
    return 0


def _wait(doing: Doing) -> float:
    return _minutes(doing.parameters["duration"]) or 0


def _check_duration(parameters: Mapping[str, str]) -> str | None:
    found = _minutes(parameters["duration"])
    long_enough = found is not None and _SHORTEST <= found <= _LONGEST
    return None if long_enough else "duration must be from one minute to 12 hours, as PT5M"


def _assert_alarms(doing: Doing) -> float:
    wanted = [state.strip() for state in doing.parameters["alarmStates"].split(",")]
    for arn in doing.parameters["alarmArns"].split(","):
        name = arn.strip().partition(":alarm:")[2]
        found = doing.client("cloudwatch").describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        alarms = [*found.get("MetricAlarms", ()), *found.get("CompositeAlarms", ())]
        if not alarms:
            raise ActionFailedError("ConfigurationFailure", f"Alarm {name} does not exist.")
        if (state := alarms[0]["StateValue"]) not in wanted:
            raise ActionFailedError("ConfigurationFailure", f"Alarm {name} is in state {state}, not {wanted}.")
    return 0


def _check_states(parameters: Mapping[str, str]) -> str | None:
    strange = {state.strip() for state in parameters["alarmStates"].split(",")} - set(_STATES)
    return f"alarmStates must be of {', '.join(_STATES)}, not {sorted(strange)}" if strange else None


ACTIONS: Mapping[str, Action] = {
    "aws:ecs:stop-task": Action(
        description="Stops the target tasks.", do=_stop_tasks, targets={"Tasks": "aws:ecs:task"}
    ),
    "aws:fis:wait": Action(
        description="Runs the AWS FIS wait action.",
        do=_wait,
        parameters={"duration": "The duration, from one minute to 12 hours."},
        check=_check_duration,
    ),
    "aws:cloudwatch:assert-alarm-state": Action(
        description="Verifies that the specified alarms are in one of the specified alarm states.",
        do=_assert_alarms,
        parameters={
            "alarmArns": "The ARNs of the alarms, separated by commas.",
            "alarmStates": "The alarm states (OK, ALARM, and INSUFFICIENT_DATA), separated by commas.",
        },
        check=_check_states,
    ),
}
# What experiments can hit, and the parameters that choose it.
TARGETS: Mapping[str, Mapping[str, str]] = {
    "aws:ecs:task": {
        "cluster": "The cluster that contains the target tasks.",
        "service": "The service that contains the target tasks.",
    }
}
