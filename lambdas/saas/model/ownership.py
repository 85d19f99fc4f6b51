"""Whose a stack is that bears a tenant's name, by its tags and by what is recorded; pure.

What is somebody else's, or nobody's, is never deployed over unless a person has agreed to that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.names import DEPLOYMENT_TAG, FACTORY_TAG
from lambdas.common.stack_states import tags_of
from lambdas.common.written import cut
from lambdas.saas.model.status import Status


class NamedStack(Protocol):
    """A stack that is to be deployed: what it is called, and where."""

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The deployment that is asked about, and what stacks of its factory bear as FACTORY_TAG.

    `known` are the ids of stacks that are its own without a tag; `consents` says that its row agrees to taking over
    what is nobody's.
    """

    deployment: str
    factory: str
    known: Collection[str] = ()
    consents: bool = False

    def why_not(self, stack: NamedStack, standing: Mapping[str, Any] | None) -> str:
        """Tell why a stack must not be deployed over what stands there; empty when it may."""
        tags = tags_of(standing or {})
        factory, tenant = tags.get(FACTORY_TAG), tags.get(DEPLOYMENT_TAG, self.deployment)
        told = f"stack {stack.name} stands in account {stack.account} in {stack.region} already, and"
        if standing is None or (factory == self.factory and tenant == self.deployment):
            return ""
        if tenant != self.deployment and factory in (None, "", self.factory):
            # Before there was a tag of factories, tenants' stacks bore this one.
            return f"{told} is of deployment {cut(tenant)}: give the tenant another id"
        if factory:
            return f"{told} is of another factory ({cut(factory)}): give the tenant another id"
        if self.consents or not self.is_nobodys(standing):
            return ""  # what taking it over would come to is told when there is a template
        return (
            f"{told} nothing tells whose it is: if it is this tenant's own, whose pipeline was deleted, give the stack "
            f'the tag {FACTORY_TAG}={self.factory}; if the tenant is to take it over, add "allow_adopt": '
            '{"BOOL": true} to the row; otherwise give the tenant another id'
        )

    def is_nobodys(self, standing: Mapping[str, Any] | None) -> bool:
        """Whether neither a tag nor what is recorded tells whose a stack is that stands."""
        return bool(standing) and not tags_of(standing or {}).get(FACTORY_TAG) and not self._knows(standing or {})

    def _knows(self, standing: Mapping[str, Any]) -> bool:
        return standing.get("StackId") in self.known


def known_stacks(status: Status | None) -> frozenset[str]:
    """Ids of the stacks of which a status says that an execution has deployed them, or that they were taken over.

    A name in the place of an id knows nothing: whoever has the name has it. Nor does `further_stacks`: what an
    execution that failed has touched may be somebody else's.
    """
    refs = (*status.component_stacks, *status.adopted) if status else ()
    return frozenset(ref.stack_id for ref in refs if ref.stack_id.startswith("arn:"))
