"""All rules that every template must keep."""

from __future__ import annotations

from collections.abc import Callable

from tests.synth.assembly import Template
from tests.synth.rules import data, landing_zone, machines, policies, text

Rule = Callable[[Template], list[str]]

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
