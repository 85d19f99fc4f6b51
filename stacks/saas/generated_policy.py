"""What CloudFormation has to be allowed to do to deploy stacks of tenants, from their templates; pure.

Resources are bounded by the names that tenants bear; where ids are generated, by the tag that every resource of a
tenant has; where neither goes, it is said why. What cannot be told is a gap, for a person to write.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.common.names import DEPLOYMENT_TAG, WORKLOAD_ROLE_PATH
from lambdas.saas.model.names import DEPLOYMENT_TYPES
from stacks.saas.policy_grants import Grant
from stacks.saas.resource_types import Facts, Types, actions_of, facts_of, text_of, values

OWN = tuple(sorted(f"{kind}-*" for kind in DEPLOYMENT_TYPES))
_VERSION = re.compile(r"/cdk-bootstrap/[^/]+/version")
_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^:}]+)")
_ROLE = "arn:*:iam::*:role"
_TAGGED = {
    "new": (("Null", f"aws:RequestTag/{DEPLOYMENT_TAG}", "false"),),
    "already": (("Null", f"aws:ResourceTag/{DEPLOYMENT_TAG}", "false"),),
}
_KEYS = "arn:*:kms:*:*:key/*"
_UNBOUNDED = "its role has a policy of its own: set permissions_boundary in config/workloads.yaml, which bounds it"
_HANDED = "it is handed a role whose name is known when it is deployed only"
_NOT_THE_TENANTS = "the role is not the tenant's: look at what it may do, for whoever commits a component may do that"
_UNSEEN = "a macro makes of it what nobody sees here: let the component make it"
# Of an ARN, whatever names no account's, partition's or Region's own.
_PLACE = (1, 3, 4)
_AWS_POLICY = ":iam::aws:policy/"
_UNNAMED = "its name is known when it is deployed only: begin it with the tenant's, `tenant.name`"


class _GapError(Exception):
    """Something of a resource cannot be told."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A stack of a tenant, of which all names begin with `tenant`."""

    tenant: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, order=True)
class Gap:
    """What nobody can tell the permissions of, and what to do."""

    type: str
    where: str
    why: str


@dataclass(kw_only=True)
class Generated:
    """What the stacks need; `reasons` say of grants why they reach beyond the tenants."""

    grants: set[Grant] = field(default_factory=set)
    reasons: dict[Grant, str] = field(default_factory=dict)
    gaps: set[Gap] = field(default_factory=set)


def generate(
    stacks: Iterable[Deployed], *, types: Types, qualifier: str, has_boundary: bool, published: Collection[str] = ()
) -> Generated:
    """The permissions for stacks.

    `published` are names of parameters that are read anyway. Without a permissions boundary no role gets a policy of
    its own: a template could write itself any.
    """
    made = Generated()
    for stack in stacks:
        _of_references(stack, made, published)
        for logical_id, resource in stack.body.get("Resources", {}).items():
            where, name = f"{stack.name}/{logical_id}", str(resource["Type"])
            facts = facts_of(types, name)
            if facts is None:
                why = "nobody has written down what it needs: describe it in component/permissions.json"
                made.gaps.add(Gap(type=name, where=where, why=why))
                continue
            one = _Resource(stack=stack, properties=resource.get("Properties") or {}, facts=facts, qualifier=qualifier)
            problems = [*one.unknown(), *one.add(made, has_boundary=has_boundary)]
            made.gaps |= {Gap(type=name, where=where, why=why) for why in problems}
    return made


@dataclass(frozen=True, kw_only=True)
class _Resource:
    stack: Deployed
    properties: Mapping[str, Any]
    facts: Facts
    qualifier: str

    def unknown(self) -> Iterator[str]:
        """Properties that need what the facts have not."""
        for path in self.facts.get("not", ()):
            if any(one not in (None, False, []) for one in values(self.properties, path)):
                yield f"{path} needs more than is written down: describe the type in component/permissions.json"

    def add(self, made: Generated, *, has_boundary: bool) -> Iterator[str]:
        """Add its grants; what cannot be told comes back."""
        for written in self.facts["grants"]:
            if "if" in written and not list(values(self.properties, written["if"])):
                continue
            bounded = not has_boundary and written.get("bounded", [])
            if bounded is True:
                yield _UNBOUNDED
                continue
            try:
                for grant in self._grants(written):
                    if bounded and not _is_harmless(grant, bounded):
                        yield f"{grant.condition[0][-1]} may be more than a tenant's: {_UNBOUNDED}"
                        continue
                    made.grants.add(grant)
                    if "because" in written:
                        made.reasons[grant] = written["because"]
            except _GapError as gap:
                yield str(gap)
        yield from self._hand_on(made)

    def _hand_on(self, made: Generated) -> Iterator[str]:
        for paths, service in self.facts.get("passes", {}).items():
            for value in (one for path in paths.split() for one in values(self.properties, path)):
                try:
                    found, whose = self._passed(value)
                except _GapError as gap:
                    yield str(gap)
                    continue
                grants = [_passing(role, service) for role in found]
                made.grants |= set(grants)
                made.reasons |= dict.fromkeys(grants, whose) if whose else {}

    def _passed(self, value: Any) -> tuple[Collection[str], str]:
        """Patterns of the roles that a property hands on for all tenants, and why if they are not theirs."""
        name = text_of(value).partition(":role/")[2]
        if not name and isinstance(value, Mapping) and ("Fn::GetAtt" in value or "Fn::GetStackOutput" in value):
            return [f"{_ROLE}{WORKLOAD_ROLE_PATH}{own}" for own in OWN], ""
        if self.stack.tenant in name:
            return [f"{_ROLE}/{one}" for one in _of_all_tenants(name, self.stack.tenant)], ""
        if not name or "*" in name:
            raise _GapError(_HANDED)
        return [f"{_ROLE}/{name}"], _NOT_THE_TENANTS

    def _grants(self, written: Facts) -> Iterator[Grant]:
        if written["on"] == _KEYS and any(
            isinstance(one, str) for one in values(self.properties, written.get("if", ""))
        ):
            raise _GapError(
                f"{written['if']} is a key of somebody else: describe the type in component/permissions.json"
            )
        on = written["on"] if isinstance(written["on"], list) else [written["on"]]
        for resource in (one for pattern in on for one in self._resources(pattern)):
            for condition in self._conditions(written):
                for action in actions_of(written):
                    yield Grant(action=action, resource=resource, condition=condition)

    def _resources(self, pattern: str) -> Iterator[str]:
        if pattern == "{roles}":
            pattern = f"{_ROLE}{WORKLOAD_ROLE_PATH}{{own}}"
        elif pattern == "{role}":
            path = text_of(self.properties.get("Path", "/"))
            if "*" in path:
                raise _GapError("its path is known when it is deployed only: write it into the template")
            pattern = f"{_ROLE}{path}{{name}}"
        pattern = pattern.replace("{qualifier}", self.qualifier)
        found = self._names() if "{name}" in pattern else OWN
        if "{name}" not in pattern and "{own}" not in pattern:
            yield pattern
            return
        for name in found:
            yield pattern.replace("{name}", name).replace("{own}", name).replace(":parameter//", ":parameter/")

    def _names(self) -> tuple[str, ...]:
        """Patterns for the names of all tenants' resources that are called as this one is."""
        given = next(values(self.properties, self.facts["name"]), None) if "name" in self.facts else None
        if given is not None:
            return _of_all_tenants(text_of(given), self.stack.tenant)
        if self.facts.get("named"):
            raise _GapError(
                f"CloudFormation would give it a name that does not begin with the tenant's: set {self.facts['name']}"
            )
        return OWN

    def _conditions(self, written: Facts) -> Iterator[tuple[tuple[str, str, str], ...]]:
        if "tagged" in written:
            yield _TAGGED[written["tagged"]]
        elif "when" not in written:
            yield ()
        for operator, keys in written.get("when", {}).items():
            for key, value in keys.items():
                for one in self._values(value):
                    yield ((operator, key, one),)

    def _values(self, value: str) -> Iterator[str]:
        if not value.startswith("{"):
            yield from (value.replace("{own}", own) for own in (OWN if "{own}" in value else ("",)))
            return
        for one in map(text_of, values(self.properties, value.strip("{}"))):
            if "*" in _named(one):
                raise _GapError(f"{value.strip('{}')} is known when it is deployed only")
            yield one


def _of_all_tenants(name: str, tenant: str) -> tuple[str, ...]:
    """A name in which a tenant's stands, as patterns in which every tenant's may.

    Raises:
        _GapError: the tenant's is not in it, or follows something that is not known.
    """
    before, found, _ = name.partition(tenant)
    if not found or "*" in before:
        raise _GapError(
            _UNNAMED if "*" in name else f"its name {name} has nothing of the tenant's: begin it with `tenant.name`"
        )
    return tuple(f"{before}{own}" for own in OWN)


def _passing(role: str, service: str) -> Grant:
    return Grant(action="iam:PassRole", resource=role, condition=(("StringEquals", "iam:PassedToService", service),))


def _is_harmless(grant: Grant, policies: Collection[str]) -> bool:
    """Whether a grant attaches one of these policies of AWS's."""
    return all(value.partition(_AWS_POLICY)[2] in policies for _, _, value in grant.condition)


def _named(arn: str) -> str:
    """An ARN whose partition alone is known when it is deployed only, or that has a place of its own."""
    parts = arn.split(":")
    return ":".join("" if number in _PLACE else part for number, part in enumerate(parts))


def _of_references(stack: Deployed, made: Generated, published: Collection[str]) -> None:
    """What CloudFormation reads to fill a template in: parameters, outputs of other stacks."""
    read = {
        str(one.get("Default"))
        for one in stack.body.get("Parameters", {}).values()
        if str(one["Type"]).startswith("AWS::SSM::Parameter::Value")
    }
    written = json.dumps(stack.body)
    if "Transform" in stack.body or "Fn::Transform" in written:
        made.gaps.add(Gap(type="template", where=stack.name, why=_UNSEEN))
    for service, name in _DYNAMIC.findall(written):
        if service == "ssm":
            read.add(name)
        else:
            why = f"it resolves a value of {service} into the template: hand on its name, and let what runs read it"
            made.gaps.add(Gap(type="template", where=stack.name, why=why))
    for name in read - set(published):
        pattern = _VERSION.sub("/cdk-bootstrap/*/version", name)
        patterns = _of_all_tenants(name, stack.tenant) if stack.tenant in name else (pattern,)
        made.grants |= {
            Grant(action="ssm:GetParameters", resource=f"arn:*:ssm:*:*:parameter/{one.lstrip('/')}") for one in patterns
        }
    if "Fn::GetStackOutput" in written:
        made.grants |= {
            Grant(action="cloudformation:DescribeStacks", resource=f"arn:*:cloudformation:*:*:stack/{own}")
            for own in OWN
        }
    if "Fn::ImportValue" in written:
        grant = Grant(action="cloudformation:ListExports", resource="*")
        made.grants.add(grant)
        made.reasons[grant] = "exports are listed, for which IAM knows no resource"


def told(reasons: Mapping[Grant, str]) -> list[tuple[str, str, list[str]]]:
    """Resource, reason and actions of what reaches beyond the tenants, together where both are the same."""
    found = defaultdict(set)
    for grant, why in reasons.items():
        found[grant.resource, why].add(grant.action)
    return sorted((resource, why, sorted(actions)) for (resource, why), actions in found.items())
