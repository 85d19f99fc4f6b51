"""The stacks that an execution deployed, or may have made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from lambdas.saas.model.status import StackRef
from lambdas.saas.pipeline_watch.executions import ActionRun, latest_runs

# Action modes that change a stack's resources; the others only prepare or drop a change set.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
DEPLOYING_MODES = frozenset({"CHANGE_SET_EXECUTE", "CREATE_UPDATE", "REPLACE_ON_FAILURE"})
EXECUTING_MODES = DEPLOYING_MODES | {"DELETE_ONLY"}
# Preparing the change set of a stack that is not there yet makes one.
_MAKING_MODES = DEPLOYING_MODES | {"CHANGE_SET_REPLACE"}

_STACK_ID = re.compile(r"arn:[a-z-]+:cloudformation:[a-z0-9-]+:[0-9]{12}:stack/[^/\s?&#]+/[^/\s?&#]+")


@dataclass(frozen=True, kw_only=True)
class Place:
    """An account and Region."""

    account: str
    region: str

    def of(self, *, account: str, region: str) -> Place:
        """Where an action works that names, or leaves out, an account and a Region; seen from this place."""
        return Place(account=account or self.account, region=region or self.region)


class StackIds(Protocol):
    """Port to the ids of stacks in the workload accounts; None when the id cannot be read."""

    def stack_id(self, name: str, *, place: Place) -> str | None: ...


def component_stacks(runs: Iterable[ActionRun], *, home: Place, ids: StackIds) -> tuple[StackRef, ...]:
    """List the stacks that the CloudFormation actions deployed, in that order, each once."""
    deployed = (run for run in latest_runs(runs) if run.status == "Succeeded")
    return _stacks(_with_mode(deployed, DEPLOYING_MODES), home=home, ids=ids)


def touched_stacks(runs: Iterable[ActionRun], *, home: Place, ids: StackIds) -> tuple[StackRef, ...]:
    """List the stacks that the CloudFormation actions deployed, or may have made although they failed."""
    return _stacks(_with_mode(latest_runs(runs), _MAKING_MODES), home=home, ids=ids)


def _with_mode(runs: Iterable[ActionRun], modes: AbstractSet[str]) -> Iterator[ActionRun]:
    return (run for run in runs if run.provider == "CloudFormation" and run.configuration.get("ActionMode") in modes)


def _stacks(runs: Iterable[ActionRun], *, home: Place, ids: StackIds) -> tuple[StackRef, ...]:
    found: dict[tuple[Place, str], str | None] = {}
    for run in runs:
        key = home.of(account=run.account, region=run.region), run.configuration["StackName"]
        found[key] = _recorded_id(run) or found.get(key)
    return tuple(
        StackRef(
            kind="component",
            # CloudFormation takes the name for the id, so a stack whose id stays unknown is not lost.
            stack_id=stack_id or ids.stack_id(name, place=place) or name,
            account=place.account,
            region=place.region,
        )
        for (place, name), stack_id in found.items()
    )


def _recorded_id(run: ActionRun) -> str | None:
    # CodePipeline hands the id on as part of a console address, sometimes escaped.
    for text in (run.external_id, run.external_url):
        if match := _STACK_ID.search(unquote(text)):
            return match.group()
    return None
