"""The rules of what a row says to its component, and of what others call it: tier, parameters, external id; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.common.written import as_written, cut
from lambdas.saas.model.declared import PARAMETERS_LIMIT, Parameter, Tier
from lambdas.saas.model.row_rules import TAGS_LIMIT, one_of_reasons, shown, text_reasons
from lambdas.saas.model.target_policy import TargetPolicy

EXTERNAL_ID_LIMIT = 128
# Tags and parameters of a row as JSON, with which the record still goes into a variable of the tenant's build: see
# `row_rules.TAGS_CHARACTERS`. What tiers and defaults add does not go there.
TOGETHER = 3_800
_TOLD = 150  # characters of a list of names
_EXAMPLE = '{"M": {"domain": {"S": "acme.example.com"}}}'


def tier_of(row: Mapping[str, Any], policy: TargetPolicy) -> Tier:
    """The tier that a row names; one that gives nothing, when it names none that there is."""
    name = row.get("tier")
    return policy.tiers.get(name, Tier()) if isinstance(name, str) else Tier()


def tier_reasons(row: Mapping[str, Any], policy: TargetPolicy) -> list[str]:
    """What is wrong with a tier; without one the row has no defaults but those that hold for all."""
    value, tags = row.get("tier"), row.get("tags")
    if isinstance(value, str) and not policy.tiers:
        return [f"tier {shown(value)} is unknown: declare it under `tiers` in config/workloads.yaml, and release that"]
    if reasons := one_of_reasons("tier", value, tuple(policy.tiers) or ("standard",), optional=True):
        return reasons
    own = list(tags) if isinstance(tags, Mapping) else []
    total = len(own) + len(tier_of(row, policy).tags_beside(own))
    if own and len(own) <= TAGS_LIMIT < total:
        return [f"tier {value} has tags of its own, with which they are {total}: use at most {TAGS_LIMIT} together"]
    return []


def external_id_reasons(value: object) -> list[str]:
    """What is wrong with an external id."""
    if value is None:
        return []
    if reasons := text_reasons("external_id", value, "4711"):
        return reasons
    text = str(value)
    if text.strip() != text or not text.isprintable() or not 1 <= len(text) <= EXTERNAL_ID_LIMIT:
        return [
            f"external_id {shown(value)} is not usable: use 1 to {EXTERNAL_ID_LIMIT} printable characters, and no "
            "spaces around them"
        ]
    return []


def parameters_reasons(row: Mapping[str, Any], policy: TargetPolicy) -> list[str]:
    """What is wrong with the parameters of a row."""
    value = row.get("parameters")
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [f"parameters must be a map of strings, not {as_written(value)}: write them as {_EXAMPLE}"]
    if len(value) > PARAMETERS_LIMIT:
        return [f"parameters are {len(value)}: use at most {PARAMETERS_LIMIT}"]
    reasons = [
        f"parameter {shown(name)} {problem}"
        for name, text in value.items()
        for problem in _problems(policy.parameters.get(name), text, row, policy)
    ]
    return reasons or _together(value, row.get("tags"))


def _problems(declared: Parameter | None, text: object, row: Mapping[str, Any], policy: TargetPolicy) -> Iterator[str]:
    if declared is None:
        known = f"; declared are {cut(', '.join(policy.parameters), _TOLD)}" if policy.parameters else ""
        yield (
            "is not declared: take it out of the row, or declare it under `parameters` in config/workloads.yaml and "
            f"release that{known}"
        )
    elif not isinstance(text, str):
        yield f'must be a string, not {as_written(text)}: write it as {{"S": "..."}}'
    elif problem := declared.problem(text) or _elsewhere(declared, text, row, policy):
        yield problem


def _elsewhere(declared: Parameter, text: str, row: Mapping[str, Any], policy: TargetPolicy) -> str:
    account, *regions = (row.get(name) for name in ("account", "region", "standby_region"))
    places = tuple(region for region in regions if isinstance(region, str))
    if not isinstance(account, str) or not places:
        return ""  # what is wrong with the place is told for itself
    return declared.elsewhere(text, partition=policy.partition, account=account, regions=places)


def _together(parameters: Mapping[str, str], tags: object) -> list[str]:
    written = json.dumps([*parameters.items(), *(tags.items() if isinstance(tags, Mapping) else ())], default=str)
    if len(written) > TOGETHER:
        return [
            f"parameters and tags have {len(written):,} characters together, as JSON, which no build takes: use at "
            f"most {TOGETHER:,}; what several tenants have in common goes into a tier"
        ]
    return []
