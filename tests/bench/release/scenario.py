"""What is simulated, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lambdas.saas.model.rings import ReleasePolicy
from tests.bench.release.calls import Calls

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
HISTORY_LIMIT = 25_000
DATA_LIMIT = 262_144


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long things take, in seconds."""

    pipeline: float = 300.0
    event: float = 1.0
    function: float = 0.3
    poll: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A release to a fleet; `failing` is how many of the pipelines fail with the new revision."""

    deployments: int
    policy: ReleasePolicy
    pace: Pace = field(default=Pace())
    failing: int = 0


@dataclass(kw_only=True)
class Outcome:
    """What a release took: simulated seconds, what was called, and what Step Functions counts.

    `history` is the length of the run's own history, `child_history` that of its longest child, `largest_bytes` the
    largest result of a state. `revisions` is how many deployments have which revision, `counted` how many came to what
    by the rings' counts, and `beyond_budget` by how much the worst ring's failures exceed what it allows.
    """

    seconds: float
    calls: Calls
    transitions: int = 0
    child_transitions: int = 0
    history: int = 0
    child_history: int = 0
    largest_bytes: int = 0
    most_at_once: int = 0
    state: str = ""
    beyond_budget: int = 0
    revisions: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
