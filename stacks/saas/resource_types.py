"""What CloudFormation's handlers call for a type of resource: the facts, and how a template reads them.

The facts are `resource_types.json`, which says where they are from, and what the users' zone adds or says otherwise in
`component/permissions.json`. For each type:

* `grants`: actions (`may`: the service is written once) on resources (`on`). `{own}` stands for all tenants' names,
  `{name}` for these as the resource's own name has them, `{role}` for a role with its path, `{qualifier}` for that of
  the bootstrap. `if`: only with that property. `tagged`: on what has the deployment's tag `already`, or gets it as
  something `new`. `when`: a condition, with values of a property as `{Property}`. `bounded`: only where a permissions
  boundary bounds it, but for these of AWS's policies, which give nobody more than a tenant's has. `because`: why it
  reaches beyond the tenants.
* `name`: the property that names it; without, CloudFormation makes a name of the stack's. `named`: it makes none that
  begins so.
* `passes`: properties with roles, and the service that they are handed to.
* `not`: properties that need more than the facts have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lambdas.common.errors import GranaryError

_FILE = Path(__file__).with_name("resource_types.json")
_ZONES = Path(__file__).parents[2] / "component" / "permissions.json"
_CUSTOM = "AWS::CloudFormation::CustomResource"
Facts = Mapping[str, Any]
Types = Mapping[str, Facts]


def known_types(zones: Path = _ZONES) -> Types:
    """The facts by type, those of the users' zone before ours.

    Raises:
        GranaryError: the zone's file cannot be read.
    """
    ours: dict[str, Facts] = json.loads(_FILE.read_text(encoding="utf-8"))["types"]
    if not zones.exists():
        return ours
    try:
        return ours | {str(name): _described(facts) for name, facts in json.loads(zones.read_text("utf-8")).items()}
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise GranaryError(
            f"component/permissions.json cannot be read ({error}): write types as stacks/saas/resource_types.json has "
            'them under "types"'
        ) from error


def _described(facts: Facts) -> Facts:
    for grant in facts["grants"]:
        if not (grant["on"] and actions_of(grant)):
            raise ValueError("a grant without resource or action")
    return facts


def facts_of(types: Types, name: str) -> Facts | None:
    """The facts of a type; None when nobody knows what it needs."""
    return types.get(_CUSTOM if name.startswith("Custom::") else name)


def actions_of(grant: Facts) -> list[str]:
    """Its actions: `ecs:CreateCluster DeleteCluster` names the service once."""
    service, _, first = str(grant["may"]).partition(":")
    return [f"{service}:{action}" for action in first.split()]


def values(properties: Any, path: str) -> Iterator[Any]:
    """What a resource has at a dotted path, each item of a list by itself."""
    if isinstance(properties, list):
        for item in properties:
            yield from values(item, path)
    elif not path:
        yield properties
    elif isinstance(properties, Mapping):
        head, _, rest = path.partition(".")
        if head in properties:
            yield from values(properties[head], rest)


def text_of(value: Any) -> str:
    """A value as text, with `*` for what is known when it is deployed only."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(map(text_of, argument[1]))
        if function == "Fn::Sub":
            return _without_references(argument if isinstance(argument, str) else argument[0])
    return "*"


def _without_references(text: str) -> str:
    parts = text.split("${")
    return parts[0] + "".join(f"*{part.partition('}')[2]}" for part in parts[1:])
