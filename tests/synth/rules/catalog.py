"""All rules that every template must keep."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.saas.model.names import DEPLOYMENT_TYPES
from tests.component.exceptions import EXCEPTED
from tests.synth.assembly import Template
from tests.synth.rules import data, landing_zone, machines, policies, text

Rule = Callable[[Template], list[str]]
_OF_TENANTS = tuple(f"{one}-" for one in DEPLOYMENT_TYPES)

RULES: tuple[Rule, ...] = (
    policies.no_wildcard_actions,
    policies.no_wildcard_resources,
    policies.services_are_guarded,
    policies.nobody_is_anyone,
    policies.roles_elsewhere_are_members,
    policies.only_tls,
    policies.builds_run_what_their_projects_say,
    data.customer_keys,
    data.keys_rotate,
    data.buckets_are_private,
    data.tables_are_safe,
    data.logs_are_kept,
    data.verdicts_stand,
    landing_zone.builds_are_alike,
    landing_zone.roles_are_bounded_alike,
    machines.machines_use_their_key,
    machines.answers_reach_children,
    text.no_literal_partition,
    text.no_strange_region,
    text.no_secrets,
)


def findings(rule: Rule, template: Template) -> list[str]:
    """What a rule finds, with the stack; nothing that the component's templates are excepted from."""
    excepted = tuple(ending for _, ending in exceptions_used(rule, template))
    return [f"{template.stack}/{one}" for one in rule(template) if not one.endswith(excepted)]


def exceptions_used(rule: Rule, template: Template) -> list[tuple[str, str]]:
    """The exceptions of the users' zone that a template of its component needs."""
    if template.stack.endswith("-pipeline") or not template.stack.startswith(_OF_TENANTS):
        return []
    found = rule(template)
    return [(name, end) for name, end in EXCEPTED if name == rule.__name__ and any(one.endswith(end) for one in found)]
