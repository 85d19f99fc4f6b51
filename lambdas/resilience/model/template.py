"""The experiment template of a tenant, as FIS takes it; pure.

https://docs.aws.amazon.com/fis/latest/APIReference/API_CreateExperimentTemplate.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.common.names import DEPLOYMENT_TAG
from lambdas.common.partitions import partition_of
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.names import ATTEMPT_TAG
from lambdas.resilience.model.plan import ACTIONS, INSTANCE, Experiment, Fault, filled

# An action of ours: the experiment goes on, and its alarms are watched, after a fault that takes no time.
OBSERVE = "observe"
_STATE = "State.Name"


def words_of(attempt: Attempt) -> dict[str, str]:
    """What texts of the configuration may say of the tenant."""
    return {
        "id": attempt.deployment,
        "type": attempt.type,
        "account": attempt.account,
        "region": attempt.region,
        "partition": partition_of(attempt.region),
    }


def tags_of(attempt: Attempt) -> dict[str, str]:
    """What templates and experiments of an attempt bear."""
    return {DEPLOYMENT_TAG: attempt.deployment, ATTEMPT_TAG: attempt.id}


def template_of(attempt: Attempt, experiment: Experiment, *, role: str, partition: str | None = None) -> dict[str, Any]:
    """The template of an experiment with the tenant; FIS acts as `role` (ARN).

    Targets that are chosen by tag are the tenant's own, whatever the entry says: they bear its id. Without `partition`
    it is that of the attempt's Region.
    """
    words = words_of(attempt)
    words["partition"] = partition or words["partition"]
    partition, there = words["partition"], f"{attempt.region}:{attempt.account}"
    alarms = [f"arn:{partition}:cloudwatch:{there}:alarm:{filled(name, words)}" for name in experiment.stop_alarms]
    stops = [{"source": "aws:cloudwatch:alarm", "value": alarm} for alarm in alarms]
    template: dict[str, Any] = {
        "description": f"{experiment.name} on {attempt.deployment}",
        "roleArn": role,
        "stopConditions": stops or [{"source": "none"}],
        "targets": {fault.name: _target(fault, words) for fault in experiment.faults},
        "actions": {
            **{fault.name: _action(fault, words) for fault in experiment.faults},
            OBSERVE: {"actionId": "aws:fis:wait", "parameters": {"duration": f"PT{experiment.duration_minutes}M"}},
        },
        "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"},
        "tags": tags_of(attempt),
    }
    if experiment.log_group:
        group = f"arn:{partition}:logs:{there}:log-group:{filled(experiment.log_group, words)}:*"
        logs = {"logGroupArn": group}
        template["logConfiguration"] = {"logSchemaVersion": 2, "cloudWatchLogsConfiguration": logs}
    return template


def _target(fault: Fault, words: Mapping[str, str]) -> dict[str, Any]:
    target: dict[str, Any] = {"resourceType": ACTIONS[fault.action][1], "selectionMode": fault.selection}
    if fault.arns:
        target["resourceArns"] = [filled(arn, words) for arn in fault.arns]
    else:
        target["resourceTags"] = _filled(fault.tags, words) | {DEPLOYMENT_TAG: words["id"]}
    filters = [{"path": one.path, "values": [filled(value, words) for value in one.values]} for one in fault.filters]
    if target["resourceType"] == INSTANCE and not (fault.arns or any(one["path"] == _STATE for one in filters)):
        # What a release has just replaced bears the tag for another hour.
        filters.append({"path": _STATE, "values": ["running"]})
    if filters:
        target["filters"] = filters
    if fault.target_parameters:
        target["parameters"] = _filled(fault.target_parameters, words)
    return target


def _action(fault: Fault, words: Mapping[str, str]) -> dict[str, Any]:
    action: dict[str, Any] = {
        "actionId": fault.action,
        "parameters": _filled(fault.parameters, words),
        "targets": {ACTIONS[fault.action][0]: fault.name},
    }
    return action | ({"startAfter": list(fault.start_after)} if fault.start_after else {})


def _filled(texts: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    return {name: filled(text, words) for name, text in texts.items()}
