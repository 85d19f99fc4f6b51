"""What the configuration says of experiments, in the form that the function takes; pure.

Texts may name the tenant: `{id}`, `{type}`, `{account}`, `{region}`, `{partition}`; a probe's URL may have
`{output.NAME}` too, an output of the component's stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from string import Formatter

from lambdas.common.versioned_json import Text

WORDS = frozenset({"id", "type", "account", "region", "partition"})
OUTPUT = "output."
INSTANCE = "aws:ec2:instance"
# What an experiment may do, by what FIS calls the target's place and its kind: the role of experiments may do no more.
# https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
ACTIONS: Mapping[str, tuple[str, str]] = {
    "aws:ec2:reboot-instances": ("Instances", INSTANCE),
    "aws:ec2:stop-instances": ("Instances", INSTANCE),
    "aws:ecs:stop-task": ("Tasks", "aws:ecs:task"),
    "aws:rds:failover-db-cluster": ("Clusters", "aws:rds:cluster"),
    "aws:rds:reboot-db-instances": ("DBInstances", "aws:rds:db"),
}
# Without it, instances stay as they are when the experiment is over.
STARTS_AGAIN = "startInstancesAfterDuration"
# Minutes that answering, starting and ending an experiment may take besides.
MARGIN_MINUTES = 5


class Mode(Enum):
    """What a ring does: an experiment, one that only resolves its targets, or probes alone."""

    RUN = "run"
    DRY_RUN = "dry-run"
    VALIDATION = "validation"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a target's attribute at a path is to be."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An action of an experiment and its targets: those with these ARNs, or the tenant's own with these tags."""

    name: str
    action: str
    selection: str = "ALL"
    arns: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    target_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    start_after: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A catalogue entry: it lasts for `duration_minutes` at least, and `stop_alarms` (names) end it."""

    name: str
    duration_minutes: int
    faults: tuple[Fault, ...]
    description: str = ""
    stop_alarms: tuple[str, ...] = ()
    log_group: str = ""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What is looked at: an alarm of the tenant's account and Region, by name, an address, or a build.

    An address is asked `samples` times, and so many percent have to answer with `status`, each within the time. A
    `build` is one of that project of CodeBuild's, in the tenant's account and Region.
    """

    name: str
    alarm: str = ""
    url: str = ""
    build: str = ""
    status: int = 200
    samples: int = 3
    success_percent: int = 100
    timeout_seconds: int = 5


@dataclass(frozen=True, kw_only=True)
class RingPlan:
    """What is done with a tenant of a ring.

    For `settle_minutes` its steady state may take to hold before, for `recover_minutes` after the experiment.
    """

    mode: Mode
    experiment: Experiment | None = None
    probes: tuple[Probe, ...] = ()
    settle_minutes: int = 5
    recover_minutes: int = 10

    @property
    def minutes(self) -> int:
        """How long it may take from the injection to the end; what is not run takes no time."""
        if self.mode is not Mode.RUN or not self.experiment:
            return MARGIN_MINUTES
        return self.experiment.duration_minutes + self.recover_minutes + MARGIN_MINUTES

    @property
    def whole_minutes(self) -> int:
        """How long a pipeline may wait for it, with the steady state before."""
        return self.minutes + self.settle_minutes + MARGIN_MINUTES

    @property
    def builds(self) -> bool:
        """Whether something is built, and has to be stopped."""
        return any(probe.build for probe in self.probes)

    @property
    def does(self) -> str:
        """What the ring does, in a word or two."""
        return f"{self.mode.value} {self.experiment.name if self.experiment else ''}".rstrip()

    @property
    def subject(self) -> str:
        """What it is called."""
        return self.experiment.name if self.experiment else self.mode.value


@dataclass(frozen=True, kw_only=True)
class Chaos(Text):
    """All of it: what rings do, by name, and the catalogue."""

    rings: dict[str, RingPlan] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)


def words_in(text: str) -> Iterator[str]:
    """The words in braces of a text; raises ValueError where braces are unbalanced."""
    return (name for _, name, _, _ in Formatter().parse(text) if name is not None)


def filled(text: str, given: Mapping[str, str]) -> str:
    """A text with its words replaced; raises KeyError for one that is not given."""
    pieces = Formatter().parse(text)
    return "".join(before + (given[name] if name is not None else "") for before, name, _, _ in pieces)
