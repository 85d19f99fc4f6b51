"""What tenants' pipelines ask the factory's functions about, and whether it is theirs to ask; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import read
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.status import Status

# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
PARAMETERS_LIMIT = 1_000
_SEPARATOR = ","


@dataclass(frozen=True, kw_only=True)
class Asking:
    """For whom an action of a tenant's pipeline asks, and in which of the pipeline's executions."""

    UNKNOWN: ClassVar[str] = "nothing"

    deployment: str
    type: str
    account: str
    region: str
    execution: str

    @classmethod
    def of_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Read the action's parameters.

        Raises:
            GranaryError: something is missing.
        """
        try:
            return read(cls, given)
        except ValueError as error:
            raise GranaryError(f"the pipeline asks for {cls.UNKNOWN} that these functions know: {error}") from error


@dataclass(frozen=True, kw_only=True)
class BeforeStage(Asking):
    """What a stage asks before it deploys anything: whose its `stacks` are, which are named without the tenant."""

    stacks: str

    @property
    def stack_names(self) -> tuple[str, ...]:
        """The whole names."""
        return tuple(f"{self.type}-{self.deployment}-{one}" for one in self.stacks.split(_SEPARATOR) if one)


def asker(given: Mapping[str, Any]) -> str:
    """The one pipeline that may ask with an action's parameters: that of the tenant which they name."""
    return pipeline_name(str(given.get("type", "")), str(given.get("deployment", "")))


def stacks_told(names: Iterable[str], *, of: str) -> str:
    """Names of stacks, as `BeforeStage` has them, of the tenant `of` (`silo-acme`)."""
    return _SEPARATOR.join(name.removeprefix(f"{of}-") for name in names)


def refusal(status: Status | None, *, deployment: str, kind: str, place: tuple[str, str], stacks: Iterable[str]) -> str:
    """Tell why a pipeline may not ask about a deployment of a `kind` (silo, pool) in a place, and its stacks.

    Empty when it may: the deployment stands there, or its row wants it to, and the stacks bear its name.
    """
    if status is None or status.placed_type != kind:
        return f"there is no {kind} {deployment}"
    wished = [(status.account, status.region), (status.account, status.standby_region)]
    if place not in (*status.places, *wished):
        return f"{deployment} does not stand in account {place[0]} in {place[1]}"
    foreign = [one for one in stacks if not one.startswith(f"{kind}-{deployment}-")]
    return f"stacks {', '.join(foreign)} are not {deployment}'s" if foreign else ""
