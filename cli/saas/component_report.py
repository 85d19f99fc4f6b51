"""What a check of the component tells people; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stacks.saas.generated_policy import Deployed, Generated, told
from stacks.saas.policy_grants import Grant

_UNKNOWN = "cannot tell here"
_READ = {"Null": " absent=", "StringEquals": "=", "StringLike": "=", "ArnLike": "="}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule has against a resource."""

    rule: str
    what: str
    where: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found.

    `local` says by type how a local cloud has it (`deploys`, `pretends`, `refuses`), and is empty when nobody could be
    asked. `lacks` is what the policy in `policy` does not allow and the stacks need, `besides` what it allows besides.
    `written` are the files that hold the policy as it is needed, `parts` how many managed policies it takes.
    """

    tenants: Mapping[str, Sequence[Deployed]]
    findings: Sequence[Finding]
    local: Mapping[str, str]
    generated: Generated
    policy: str
    lacks: Sequence[Grant] = ()
    besides: Sequence[Grant] = ()
    written: Sequence[str] = ()
    parts: int = 1
    next_steps: Sequence[str] = field(default_factory=tuple)

    @property
    def is_good(self) -> bool:
        """Whether the component could be deployed, as far as this can tell."""
        return not (self.findings or self.generated.gaps or (self.lacks and not self.written))

    @property
    def types(self) -> Counter[str]:
        """How many resources of each type there are."""
        return Counter(
            str(resource["Type"])
            for stacks in self.tenants.values()
            for stack in stacks
            for resource in stack.body.get("Resources", {}).values()
        )

    def document(self) -> dict[str, Any]:
        """All of it, for scripts."""
        return {
            "good": self.is_good,
            "tenants": {name: [one.name for one in stacks] for name, stacks in self.tenants.items()},
            "findings": [vars(one) for one in self.findings],
            "types": {name: {"count": n, "local_cloud": self._local(name)} for name, n in sorted(self.types.items())},
            "policy": {
                "file": self.policy,
                "lacks": [_written(one) for one in self.lacks],
                "besides": [_written(one) for one in self.besides],
                "beyond_tenants": [
                    {"resource": resource, "why": why, "actions": actions}
                    for resource, why, actions in told(self.generated.reasons)
                ],
                "cannot_tell": [vars(one) for one in sorted(self.generated.gaps)],
                "parts": self.parts,
                "written": list(self.written),
            },
            "next_steps": list(self.next_steps),
        }

    def lines(self) -> Iterator[str]:
        """All of it, for people."""
        yield "tenants"
        for name, stacks in self.tenants.items():
            yield f"  {name}: {', then '.join(one.name for one in stacks)}"
        yield f"rules of cdk-nag, the CDK and tasks: {len(self.findings)} findings"
        yield from (f"  {one}" for one in _by_rule(self.findings))
        yield "resource types, and what a local cloud does with them"
        for name, count in sorted(self.types.items()):
            yield f"  {name}  {count}  {self._local(name)}"
        yield from self._of_policy()
        if self.next_steps:
            yield "next"
            yield from (f"  {one}" for one in self.next_steps)

    def _local(self, name: str) -> str:
        return self.local.get(name, "refuses") if self.local else _UNKNOWN

    def _of_policy(self) -> Iterator[str]:
        yield f"execution policy {self.policy}: lacks {len(self.lacks)} permissions, has {len(self.besides)} besides"
        yield from (f"  lacks {one}" for one in _together(self.lacks))
        yield from (f"  besides {one}" for one in _together(self.besides))
        for resource, why, actions in told(self.generated.reasons):
            yield f"  reaches beyond the tenants: {', '.join(actions)} on {resource}: {why}"
        for gap in sorted(self.generated.gaps):
            yield f"  cannot tell: {gap.type} {gap.where}: {gap.why}"
        if self.written:
            policies = "one managed policy" if self.parts == 1 else f"{self.parts} managed policies"
            yield f"  written: {', '.join(self.written)}, which becomes {policies}"


def _by_rule(findings: Sequence[Finding]) -> list[str]:
    """One line for what a rule has against the same part of several samples."""
    where = defaultdict(list)
    for one in findings:
        tenant, _, part = one.where.partition("/")
        where[one.rule, part or one.where, one.what.partition(" - (Control ID")[0]].append(tenant)
    return [f"{rule}: {part}, of {len(found)} samples: {what}" for (rule, part, what), found in where.items()]


def _written(grant: Grant) -> str:
    return f"{grant.action} on {grant.resource}{_condition(grant)}"


def _condition(grant: Grant) -> str:
    return "".join(
        f" if {key}{_READ.get(operator, f' {operator} ')}{value}" for operator, key, value in grant.condition
    )


def _together(grants: Sequence[Grant]) -> list[str]:
    """In few lines: a service's actions on the same resources."""
    resources = defaultdict(list)
    for one in grants:
        resources[one.action, _condition(one)].append(one.resource)
    actions = defaultdict(list)
    for (action, condition), found in resources.items():
        service, _, name = action.partition(":")
        actions[service, ", ".join(found), condition].append(name)
    return [f"{service}:{' '.join(names)} on {on}{condition}" for (service, on, condition), names in actions.items()]
