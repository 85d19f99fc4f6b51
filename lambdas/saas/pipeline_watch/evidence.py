"""Reads, in the services behind the actions, what a failure was about and which stacks there are."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.common.stack_events import StackFailures
from lambdas.saas.model.status import StackRef
from lambdas.saas.pipeline_watch.stacks import Place
from lambdas.saas.store.build_failures import explained

logger = logging.getLogger(__name__)


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Turn a service's refusal into a GranaryError: an unreadable cause must not hide the failure itself."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise GranaryError(f"{what}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class ServiceEvidence:
    """Reads CodeBuild and its logs here, and CloudFormation in the workload accounts with their lookup roles."""

    codebuild: Any
    logs: Any
    lookup_roles: LookupRoles

    def build_failure(self, build_id: str) -> str | None:
        """Tell which phase of a build failed, and what its log ends with; None for a build that CodeBuild forgot."""
        with _readable(f"build {build_id}"):
            builds = self.codebuild.batch_get_builds(ids=[build_id])["builds"]
        return (explained(builds[0], self.logs) if builds else "") or None

    def stack_failure(self, stack: str, *, place: Place, since: datetime) -> str | None:
        """Tell the first failing event of the stack's newest operation that began after `since`."""
        with _readable(f"events of stack {stack} in account {place.account}, {place.region}"):
            client = self._cloudformation(place, "cloudformation:DescribeStackEvents")
            return StackFailures(client=client).first(stack, since=since)

    def stack_id(self, name: str, *, place: Place) -> str | None:
        """Read a stack's id; None when it cannot be read, which is logged."""
        stack = self._stack(name, place)
        return stack["StackId"] if stack else None

    def stack_outputs(self, stack: StackRef) -> Mapping[str, str] | None:
        """Read a stack's outputs; None when they cannot be read, which is logged."""
        found = self._stack(stack.stack_id, Place(account=stack.account, region=stack.region))
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())} if found else None

    def _stack(self, name: str, place: Place) -> dict[str, Any] | None:
        try:
            with _readable(f"stack {name} in account {place.account}, {place.region}"):
                client = self._cloudformation(place, "cloudformation:DescribeStacks")
                stack: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
        except GranaryError as error:
            logger.warning("a component's stack cannot be read: %s", error)
            return None
        return stack

    def _cloudformation(self, place: Place, action: str) -> Any:
        return self.lookup_roles.client("cloudformation", account=place.account, region=place.region, allow=[action])
