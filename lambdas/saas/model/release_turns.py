"""What a release does with one deployment, and how that may end; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lambdas.saas.model.status import RELEASE_CLAIM, Outcome, Phase

UNDER_WAY = frozenset({Outcome.RUNNING, Outcome.ROLLING_BACK})
# What Step Functions says of a task whose time is over.
TIMEOUT = "States.Timeout"
# What a turn fails with whose pipeline found no capacity for its builds: the machine has it again, patiently.
NO_CAPACITY = "NoCapacity"


class Aside(StrEnum):
    """Outcomes of deployments that a run did not take up."""

    HELD = Outcome.HELD.value
    SKIPPED = Outcome.SKIPPED.value
    FAILED = Outcome.FAILED.value  # another operation held it all the time
    SUCCEEDED = Outcome.SUCCEEDED.value  # it has the revision already


@dataclass(frozen=True, kw_only=True)
class Taking:
    """What is written when a run takes a deployment: `outcome` is RUNNING or ROLLING_BACK.

    `revision` is where it is to go, `before` where it comes from, `claim_until` when the claim ends if nobody does.
    `execution_id` is the execution that a former try of the same turn has started, `refused_id` the last one that found
    no capacity.
    """

    run: str
    ring: str
    outcome: Outcome
    revision: str
    before: str
    token: str
    claim_until: datetime
    execution_id: str = ""
    refused_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How it went with a deployment that was taken; `told` is what the release says of it, `reason` the status."""

    outcome: Outcome
    phase: Phase
    reason: str = ""
    told: str = ""


def holder(run: str) -> str:
    """Who holds a deployment that a run has taken."""
    return f"{RELEASE_CLAIM}{run}"
