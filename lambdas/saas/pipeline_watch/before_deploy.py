"""Before a stage of a tenant's pipeline deploys anything: whether all stacks that it is to deploy are the tenant's.

A build asks this of a tenant that is new. Which stacks a release adds to one that stands, its own pipeline knows alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError

from lambdas.common.aws_errors import passes
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.common.partitions import partition_of
from lambdas.common.pipeline_jobs import Later
from lambdas.common.stack_events import stack_of
from lambdas.common.stack_states import HOLD_NOTHING
from lambdas.saas.model.asking import BeforeStage, refusal
from lambdas.saas.model.ownership import Owner, known_stacks
from lambdas.saas.model.status import Status

logger = logging.getLogger(__name__)

_AGAIN = Later(token="again")  # noqa: S106 - it says nothing: each job looks anew


class Statuses(Protocol):
    """Port to the status table."""

    def get(self, deployment_id: str) -> Status | None: ...


class Named(NamedTuple):
    """A stack that is about to be deployed."""

    name: str
    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class BeforeDeploy:
    """Answers the stage: what cannot be told has nothing deployed.

    `factory` is what components' stacks of this factory bear as FACTORY_TAG, `standing` reads a stack that holds
    something, and answers None where none does.
    """

    statuses: Statuses
    factory: str
    standing: Callable[[Named], Mapping[str, Any] | None]

    def job(self, given: Mapping[str, Any]) -> str | Later:
        """Look at the stacks; the answer is for people.

        Raises:
            GranaryError: one of them is not the tenant's, or that cannot be told; the text says what to do.
        """
        asked = BeforeStage.of_parameters(given)
        try:
            found = list(self._looked_at(asked))
        except (BotoCoreError, ClientError) as error:
            if _may_pass(error):
                logger.info("whose the stacks of %s are has to wait: %s", asked.deployment, error)
                return _AGAIN
            raise GranaryError(f"whose the stacks of {asked.deployment} are cannot be told: {error}") from error
        if why := "; ".join(filter(None, found)):
            raise GranaryError(f"nothing is deployed: {why}")
        return f"of {len(found)} stacks, all are {asked.deployment}'s, or not there yet"

    def _looked_at(self, asked: BeforeStage) -> Iterator[str]:
        """Of each stack, why it must not be deployed over."""
        status, place, names = self.statuses.get(asked.deployment), (asked.account, asked.region), asked.stack_names
        if why := refusal(status, deployment=asked.deployment, kind=asked.type, place=place, stacks=names):
            raise GranaryError(why)
        if not names:
            raise GranaryError(f"the pipeline of {asked.deployment} names no stack: release a newer source")
        owner = Owner(deployment=asked.deployment, factory=self.factory, known=known_stacks(status))
        for name in names:
            stack = Named(name, *place)
            yield owner.why_not(stack, self.standing(stack))


@dataclass(frozen=True, kw_only=True)
class StandingStacks:
    """Reads stacks in workload accounts with their lookup roles, each by its name."""

    lookup: LookupRoles

    def __call__(self, stack: Named) -> Mapping[str, Any] | None:
        """Read one; raises GranaryError when the role cannot be assumed."""
        partition, region, account = partition_of(stack.region), stack.region, stack.account
        client = self.lookup.client(
            "cloudformation",
            account=account,
            region=region,
            allow=["cloudformation:DescribeStacks"],
            resources=[f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack.name}/*"],
        )
        found = stack_of(client, stack.name)
        return found if found and found["StackStatus"] not in HOLD_NOTHING else None


def _may_pass(error: Exception) -> bool:
    """Whether it may go when it is asked again: what was not heard, or not answered, may be."""
    if isinstance(error, ClientError):
        return passes(error)
    return isinstance(error, (UnreachableError, HTTPClientError))
