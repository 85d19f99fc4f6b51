"""Before a stage of a tenant's pipeline deploys anything: whether all stacks that it is to deploy are the tenant's.

A build asks this of a tenant that is new. Which stacks a release adds to one that stands, its own pipeline knows alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.aws_errors import may_pass
from lambdas.common.cloud_assembly import AssembledStack, Folder, stacks_of_pipeline
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.common.partitions import partition_of
from lambdas.common.pipeline_jobs import Later
from lambdas.common.stack_events import standing_stack
from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.asking import BeforeStage, refusal
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.ownership import Owner, known_stacks
from lambdas.saas.model.status import StackRef, Status
from lambdas.saas.store.takeovers import AsksChanges, take_over

logger = logging.getLogger(__name__)

Assembly = Callable[[], AbstractContextManager[Folder]]
_NOTHING = "nothing is deployed"
_AGAIN = Later(token="again")  # noqa: S106 - it says nothing: each job looks anew


class Statuses(Protocol):
    """Port to the status table."""

    def get(self, deployment_id: str) -> Status | None: ...
    def show(self, status: Status, plan: AdoptionPlan | None, *, now: datetime) -> None: ...
    def took_over(self, status: Status, stacks: tuple[StackRef, ...], *, now: datetime) -> None: ...


class Named(NamedTuple):
    """A stack that is about to be deployed."""

    name: str
    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class BeforeDeploy:
    """Answers the stage: what cannot be told has nothing deployed.

    `factory` is what components' stacks of this factory bear as FACTORY_TAG, `standing` reads a stack that holds
    something, and answers None where none does. `consent` is what the row of a deployment agrees to, and `change_sets`
    tells what taking a stack over would change.
    """

    statuses: Statuses
    factory: str
    standing: Callable[[Named], Mapping[str, Any] | None]
    consent: Callable[[str], str]
    change_sets: AsksChanges
    clock: Callable[[], datetime]

    def job(self, given: Mapping[str, Any], assembly: Assembly) -> str | Later:
        """Look at the stacks; the answer is for people. The `assembly` is what the stage deploys.

        Raises:
            GranaryError: one of them is not the tenant's, or that cannot be told; the text says what to do.
        """
        asked = BeforeStage.of_parameters(given)
        try:
            return self._answer(asked, assembly)
        except (BotoCoreError, ClientError) as error:
            if may_pass(error):
                logger.info("whose the stacks of %s are has to wait: %s", asked.deployment, error)
                return _AGAIN
            raise GranaryError(f"whose the stacks of {asked.deployment} are cannot be told: {error}") from error

    def _answer(self, asked: BeforeStage, assembly: Assembly) -> str:
        status, place, names = self.statuses.get(asked.deployment), (asked.account, asked.region), asked.stack_names
        why = refusal(status, deployment=asked.deployment, kind=asked.type, place=place, stacks=names)
        if status is None or why:
            raise GranaryError(why)
        if not names:
            raise GranaryError(f"the pipeline of {asked.deployment} names no stack: release a newer source")
        owner = Owner(deployment=asked.deployment, factory=self.factory, known=known_stacks(status))
        looked = {stack: self.standing(stack) for stack in (Named(name, *place) for name in names)}
        nobodys = {stack: standing for stack, standing in looked.items() if standing and owner.is_nobodys(standing)}
        consent = self.consent(asked.deployment) if nobodys else ""
        owner = replace(owner, consents=bool(consent))
        if refused := "; ".join(filter(None, (owner.why_not(*one) for one in looked.items()))):
            raise GranaryError(f"{_NOTHING}: {refused}")
        if not nobodys:
            self.statuses.show(status, None, now=self.clock())
            return f"of {len(looked)} stacks, all are {status.id}'s, or not there yet"
        return self._take_over(status, consent, nobodys, assembly)

    def _take_over(
        self, status: Status, consent: str, nobodys: Mapping[Named, Mapping[str, Any]], assembly: Assembly
    ) -> str:
        """Take over what the row consents to, as a build does of a tenant that is new."""
        now = self.clock()
        with assembly() as folder:
            stacks = {Named(one.name, *one.place): one for one in _assembled(status, folder)}
            if unknown := [stack.name for stack in nobodys if stack not in stacks]:
                raise GranaryError(f"{_NOTHING}: the assembly has no stack {', '.join(unknown)}")
            unowned = [(stacks[stack], standing) for stack, standing in nobodys.items()]
            found = take_over(status.id, consent, unowned, change_sets=self.change_sets, now=now)
        if found.refusal:
            self.statuses.show(status, found.plan, now=now)
            raise GranaryError(f"{_NOTHING}: {found.refusal}")
        self.statuses.took_over(status, found.adopted, now=now)
        return f"takes over {', '.join(ref.stack_id for ref in found.adopted)}"


def _assembled(status: Status, folder: Folder) -> Sequence[AssembledStack]:
    try:
        return stacks_of_pipeline(pipeline_name(status.placed_type, status.id), folder)
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise GranaryError(f"{_NOTHING}: the assembly cannot be read: {type(error).__name__}: {error}") from error


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
        return standing_stack(client, stack.name)
