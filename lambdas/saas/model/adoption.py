"""Taking over a stack that stands under a tenant's name: what its first change set does, and who has agreed; pure.

The row's `allow_adopt` consents: to whatever only adds and changes (ANY), or to the very plan that a digest names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lambdas.common.clock import Stamp
from lambdas.common.written import cut

ANY = "any"
DIGEST = re.compile(r"sha256:[0-9a-f]{24}")
_DIGEST_LETTERS = 24
_LISTED = 20
_NAMED = 5  # properties that are named of one resource
# The states in which CloudFormation makes a change set of an update, and a failed update does not stand in its way.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html
_UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
)
_NESTED_STACK = "AWS::CloudFormation::Stack"


class Effect(StrEnum):
    """What a change set does to a resource; UNTOLD is what CloudFormation decides only when it is executed."""

    ADD = "add"
    CHANGE = "change"
    IMPORT = "import"
    REPLACE = "replace"
    REMOVE = "remove"
    UNTOLD = "cannot be told"


# After these, what was there may be gone: a person has to agree.
STOPPING = (Effect.REMOVE, Effect.REPLACE, Effect.UNTOLD)


@dataclass(frozen=True, kw_only=True)
class AdoptionPlan:
    """What taking over comes to, as the status shows it: `counts` by effect, and the first of the changes in words.

    `digest` stands for all of it, `stops` says that a person has to agree to it by that digest.
    """

    digest: str
    counts: dict[str, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    stops: bool = False
    at: Stamp = ""

    @property
    def summary(self) -> str:
        """The counts in words."""
        return ", ".join(f"{effect} {count}" for effect, count in self.counts.items()) or "no resource is touched"


@dataclass(frozen=True, kw_only=True)
class StackChanges:
    """A stack that stands, and the change set of its deployment.

    `changes` are as DescribeChangeSet has them, `touched` is when the stack's newest operation began, `content` the
    fingerprint of what is to be deployed.
    """

    name: str
    stack_id: str
    account: str
    region: str
    touched: str
    content: str
    changes: Sequence[Mapping[str, Any]] = ()


def consent_of(value: object) -> str:
    """The row's `allow_adopt` as a record has it: ANY, a digest, or empty; a value that is not valid is no consent."""
    if value is True:
        return ANY
    return value if isinstance(value, str) and DIGEST.fullmatch(value) else ""


def plan_of(stacks: Iterable[StackChanges], *, at: str = "") -> AdoptionPlan:
    """The plan of all stacks that a tenant takes over; the same one has the same digest, whatever order it comes in."""
    ordered = sorted(stacks, key=lambda one: (one.account, one.region, one.name))
    found = [(effect_of(change), one, change) for one in ordered for change in one.changes]
    counted = Counter(effect for effect, _, _ in found)
    # What a person has to look at comes first, and is not cut off for the sake of the rest.
    found.sort(key=lambda entry: (entry[0] not in STOPPING, list(Effect).index(entry[0])))
    lines = [_line(*entry) for entry in found]
    more = [f"and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return AdoptionPlan(
        digest=_digest(ordered),
        counts={str(effect): counted[effect] for effect in Effect if counted[effect]},
        changes=(*lines[:_LISTED], *more),
        stops=any(counted[effect] for effect in STOPPING),
        at=at,
    )


def effect_of(change: Mapping[str, Any]) -> Effect:
    """What one of a change set's `Changes` does: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html"""
    resource = change.get("ResourceChange") or {}
    action = resource.get("Action")
    if action == "Modify" and resource.get("ResourceType") != _NESTED_STACK:
        return {"True": Effect.REPLACE, "False": Effect.CHANGE}.get(resource.get("Replacement", ""), Effect.UNTOLD)
    # What a nested stack does inside is in no change set of its parent.
    return {"Add": Effect.ADD, "Import": Effect.IMPORT, "Remove": Effect.REMOVE}.get(action or "", Effect.UNTOLD)


def agreed(consent: str, plan: AdoptionPlan) -> bool:
    """Whether the row consents to a plan: to this very one, or to any, and it takes nothing away."""
    return consent == plan.digest or (consent == ANY and not plan.stops)


def waits_for(deployment_id: str, consent: str, plan: AdoptionPlan, names: Sequence[str]) -> str:
    """Why a deployment is not taken over yet, and how a person agrees to what was shown."""
    other = f"its allow_adopt names {consent}, and the plan is another one now: " if consent not in (ANY, "") else ""
    stopping = "; ".join(plan.changes[:3]) if plan.stops else "nothing is replaced or removed"
    return (
        f"{other}to take over {', '.join(names)} would {plan.summary} ({stopping}): look at the plan with "
        f'`granary status {deployment_id}`, and to agree to it put "allow_adopt": {{"S": "{plan.digest}"}} into the row'
    )


def why_never(stack: Mapping[str, Any], *, has_policy: bool) -> str:
    """Why a stack cannot be taken over whoever consents, and what to do; empty when it can."""
    status = stack["StackStatus"]
    if stack.get("ParentId") or stack.get("RootId"):
        return "is nested in another stack, which deploys it: give the tenant another id"
    if status not in _UPDATABLE:
        return f"is {status}, and takes no update: bring it into order or delete it, or give the tenant another id"
    if stack.get("EnableTerminationProtection"):
        return "is protected against deletion, so the tenant could not be retired: switch that off first"
    if has_policy:
        return "has a stack policy, which may refuse what is deployed: replace it by one that allows every update"
    return ""


def _line(effect: Effect, stack: StackChanges, change: Mapping[str, Any]) -> str:
    resource = change.get("ResourceChange") or {}
    what = f"{cut(resource.get('LogicalResourceId', '?'))} ({cut(resource.get('ResourceType', 'of no type'))})"
    kept = ", which is kept in no stack" if "Retain" in resource.get("PolicyAction", "") else ""
    why = f" for {', '.join(named)}" if effect in STOPPING and (named := _recreating(resource)) else ""
    return f"{effect}: {what}{why}{kept}, in {stack.name}, {stack.region}"


def _recreating(resource: Mapping[str, Any]) -> list[str]:
    """The properties for which a resource is, or may be, made anew."""
    targets = [detail.get("Target", {}) for detail in resource.get("Details", ())]
    named = {cut(one.get("Name") or one.get("Attribute", "")) for one in targets if _recreates(one)}
    return sorted(filter(None, named))[:_NAMED]


def _recreates(target: Mapping[str, Any]) -> bool:
    return bool(target.get("RequiresRecreation", "Never") != "Never")


def _digest(stacks: Sequence[StackChanges]) -> str:
    said = [[one.stack_id, one.touched, one.content, sorted(map(_canonical, one.changes))] for one in stacks]
    return f"sha256:{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:_DIGEST_LETTERS]}"


def _canonical(change: Mapping[str, Any]) -> str:
    resource = change.get("ResourceChange") or {}
    names = ("Action", "LogicalResourceId", "PhysicalResourceId", "ResourceType", "Replacement", "PolicyAction")
    return json.dumps([str(resource.get(name, "")) for name in names] + _recreating(resource))
