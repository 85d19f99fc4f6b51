"""The stacks that an execution deployed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from lambdas.common.status import StackRef
from lambdas.saas.pipeline_watch.executions import ActionRun, latest_runs

# Action modes that change a stack's resources; the others only prepare or drop a change set.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
DEPLOYING_MODES = frozenset({"CHANGE_SET_EXECUTE", "CREATE_UPDATE", "REPLACE_ON_FAILURE"})
EXECUTING_MODES = DEPLOYING_MODES | {"DELETE_ONLY"}

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
    found: dict[tuple[Place, str], StackRef] = {}
    for run in latest_runs(runs):
        deploys = run.provider == "CloudFormation" and run.configuration.get("ActionMode") in DEPLOYING_MODES
        if not deploys or run.status != "Succeeded":
            continue
        place = home.of(account=run.account, region=run.region)
        name = run.configuration["StackName"]
        # CloudFormation takes the name for the id, so a stack whose id stays unknown is not lost.
        stack_id = _recorded_id(run) or ids.stack_id(name, place=place) or name
        found[place, name] = StackRef(kind="component", stack_id=stack_id, account=place.account, region=place.region)
    return tuple(found.values())


def _recorded_id(run: ActionRun) -> str | None:
    # CodePipeline hands the id on as part of a console address, sometimes escaped.
    for text in (run.external_id, run.external_url):
        if match := _STACK_ID.search(unquote(text)):
            return match.group()
    return None
