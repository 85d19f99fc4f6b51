"""What a person should do next about a deployment, by its phase; the command line and the bus say the same; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lambdas.common.stack_states import IN_REVIEW, NEVER_STOOD
from lambdas.saas.model.status import Phase, Status

_STEPS: Mapping[Phase, str] = {
    Phase.PENDING: "nothing: the next provisioning build takes it up",
    Phase.PROVISIONING: "nothing: it is being deployed for the first time, or anew",
    Phase.UPDATING: "nothing: another revision is being deployed",
    Phase.ACTIVE: "nothing: it is deployed",
    Phase.FAILED: "remove the cause that the reason names, then run `granary retry {id}`",
    Phase.INVALID: "correct the row as the reason says; it is then taken up automatically",
    Phase.SUSPENDED: "nothing, or bring it back with `granary activate {id}`",
    Phase.MOVING: "nothing: the new place is deployed before the old one is deleted",
    Phase.RETIRING: "nothing, or keep it{until} with `granary activate {id}`",
    Phase.RETIRED: "nothing: it is retired; the row can be deleted",
    Phase.RETIRED_WITH_WARNINGS: "delete by hand what the warnings name; the row can be deleted",
}


# The reason of one that waits for a person's consent has at its end what that person is to write; of a release, that it
# was rolled back may follow.
_AWAITS_CONSENT = re.compile(r'put "allow_adopt": \{"S": "(sha256:[0-9a-f]+)"\} into the row(?:$|;)')
# Words of a reason that `forward_only` makes.
FORWARD_ONLY = "is forward-only and has run"
# What a reason ends with while CodePipeline rolls the stage back.
ROLLING_BACK = "rolling back to"
_IS_BEING_ROLLED_BACK = re.compile(rf"; {ROLLING_BACK} (?:\S+|an unknown revision)$")
# CloudFormation names the state of a stack that takes no update.
_STATE = re.compile(r"\bis in ([A-Z_]+) state\b")
# What a reason repeats of a build's log, and of what runs around a deployment: words that may be about any stack.
_QUOTED = re.compile(
    r"(?:; its log: |\btask \w+ \((?:before|after) \S+\) failed: ).*?(?=; the rollback to |; not rolled back: |$)",
    re.DOTALL,
)
_STUCK: Mapping[str, str] = {
    "UPDATE_ROLLBACK_FAILED": (
        "remove what the events of the stack name, let it go on with `aws cloudformation continue-update-rollback` in "
        "its account, then run `granary retry {id}`"
    ),
    "DELETE_FAILED": (
        "remove what the events of the stack name, and delete the stack in its account, retaining what is to stay; "
        "then run `granary retry {id}`"
    ),
    IN_REVIEW: (
        "delete the stack in its account: it holds change sets and nothing else; then run `granary retry {id}`"
    ),
}


def is_in_the_way(reason: str) -> bool:
    """Whether CloudFormation refuses a stack that never stood, which takes no update."""
    return NEVER_STOOD in _states(reason)


def _states(reason: str) -> list[str]:
    """The states that CloudFormation names in a reason, not those in what is quoted there."""
    return _STATE.findall(_QUOTED.sub("", reason))


def may_never_have_stood(status: Status) -> bool:
    """Whether a stack of a deployment that failed may be one whose first creation has failed."""
    return not status.revision_deployed or is_in_the_way(status.reason)


def step_of(
    phase: Phase,
    *,
    deployment_id: str,
    retire_after: str = "",
    reason: str = "",
    refused_by: str = "",
    not_before: str = "",
) -> str:
    """Tell what to do, beginning with `nothing` when it is nothing; `reason` is that of the phase.

    `not_before` says what goes on about a deployment that failed: before that, trying again helps nobody.
    """
    if phase is Phase.INVALID and refused_by:
        return f"wait for a release after {refused_by}, which refuses the row; if the row pins that, pin a later one"
    if phase is Phase.FAILED:
        return _of_failed(deployment_id, reason, not_before or _rolling_back(reason))
    until = f" until {retire_after}" if retire_after else ""
    return _STEPS[phase].format(id=deployment_id, until=until)


def _of_failed(deployment_id: str, reason: str, not_before: str) -> str:
    if plan := _AWAITS_CONSENT.search(reason):
        return (
            f"look at the plan with `granary status {deployment_id}`; who agrees to it runs "
            f"`granary adopt {deployment_id} --digest {plan[1]}`"
        )
    for state in _states(reason):
        if step := _STUCK.get(state):
            return step.format(id=deployment_id)
    if is_in_the_way(reason):
        return f"run `granary retry {deployment_id}`: a stack that never stood is deleted and created anew"
    if FORWARD_ONLY in _QUOTED.sub("", reason):
        again = f"or, if the cause lay outside the source, remove it and run `granary retry {deployment_id}`"
        return f"push a release that goes forward; {again}"
    step = _STEPS[Phase.FAILED].format(id=deployment_id)
    return f"nothing before {not_before}; then {step}" if not_before else step


def _rolling_back(reason: str) -> str:
    return "CodePipeline has rolled it back" if _IS_BEING_ROLLED_BACK.search(reason) else ""
