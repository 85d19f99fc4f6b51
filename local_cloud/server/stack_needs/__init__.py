"""The IAM actions that CloudFormation needs for a change of one resource: facts in JSON files, and their rules.

The schemas of the resource types list upper bounds; the facts say what the given properties need. For each type:

* `arn`: the resource that actions without one of their own are checked on, or alternatives, of which the first counts
  that can be filled in; without `arn` it is `*`. Where CloudFormation's identifier is an ARN, it is that.
* `name`: the property that names the resource; without it CloudFormation makes a name (of at most `longest`
  characters), for which `{name}` stands.
* `create`, `update`, `delete`: needed always.
* `set`: needed when the property is given, and on an update when it differs; `changed`: only on such an update.
* `each`: needed on create and update for each value of the property; `added`: on an update only for new ones.
* `removed`: needed for each value that an update removes, or that a deleted resource has.
* `tag`: needed to set tags and, second, to remove some.

A key may name several properties. An action is written `action [resource [to service]]`; the service is the one that a
role is passed to. `{Some.Property}` is its value, or what follows `|` when it is not given, and `{value}` the one that
is looked at; ARNs and URLs within a resource stand for their last part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Properties = Mapping[str, Any]
_TABLE: dict[str, dict[str, Any]] = {
    type_name: facts
    for name in ("compute.json", "others.json")
    for type_name, facts in json.loads((Path(__file__).parent / name).read_text(encoding="utf-8")).items()
}
_CUSTOM = "AWS::CloudFormation::CustomResource"
_PLACEHOLDER = re.compile(r"\{([\w.]+)(?:\|([^}]*))?\}")
_MAKING = ("Create", "POST", "Put", "Register", "Tag", "Add")
_OF_A_POLICY = frozenset({"iam:AttachRolePolicy", "iam:DetachRolePolicy"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one resource: `before` is None for a new one, `after` for one that is deleted."""

    type_name: str
    identifier: str
    account: str
    region: str
    before: Properties | None = None
    after: Properties | None = None

    @property
    def operation(self) -> str:
        """What CloudFormation calls it."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"


@dataclass(frozen=True, kw_only=True)
class Need:
    """An action on a resource, with condition keys in lower case."""

    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)


def facts_of(type_name: str) -> dict[str, Any] | None:
    """What the table says about a type; None when it says nothing."""
    return _TABLE.get(_CUSTOM if type_name.startswith("Custom::") else type_name)


def needs(change: Change) -> list[Need]:
    """What the change needs, in the order of the calls; nothing for a type that the table lacks."""
    facts = facts_of(change.type_name)
    if facts is None:
        return []
    found = [_need(change, facts, written=action) for action in facts.get(change.operation, ())]
    return [*found, *_of_properties(change, facts), *_of_tags(change, facts)]


def _of_properties(change: Change, facts: Mapping[str, Any]) -> Iterator[Need]:
    for rule, entries in facts.items():
        if rule not in _RULES:
            continue
        for properties, actions in entries.items():
            for value in dict.fromkeys(map(_name, _RULES[rule](change, properties.split()))):
                yield from (_need(change, facts, written=action, value=value) for action in actions)


def _set(change: Change, properties: Sequence[str]) -> list[Any]:
    return _changed(change, properties) if change.operation == "update" else _added(change, properties)[:1]


def _changed(change: Change, properties: Sequence[str]) -> list[Any]:
    if change.before is None or change.after is None:
        return []
    before, after = change.before, change.after
    return [""] if any(_at(before, path) != _at(after, path) for path in properties) else []


def _each(change: Change, properties: Sequence[str]) -> list[Any]:
    return _values(change.after, properties)


def _added(change: Change, properties: Sequence[str]) -> list[Any]:
    old = _values(change.before, properties)
    return [value for value in _values(change.after, properties) if value not in old]


def _removed(change: Change, properties: Sequence[str]) -> list[Any]:
    kept = _values(change.after, properties)
    return [value for value in _values(change.before, properties) if value not in kept]


_RULES = {"set": _set, "changed": _changed, "each": _each, "added": _added, "removed": _removed}


def _of_tags(change: Change, facts: Mapping[str, Any]) -> Iterator[Need]:
    if "tag" not in facts or change.after is None:
        return
    set_with, *removed_with = facts["tag"]
    before, after = _tags(change.before), _tags(change.after)
    if after.items() - before.items():
        yield _need(change, facts, written=set_with)
    if before.keys() - after.keys():
        yield from (_need(change, facts, written=action) for action in removed_with)


def _tags(properties: Properties | None) -> dict[str, str]:
    """The template's own tags: those that CloudFormation adds need no permission."""
    tags = (properties or {}).get("Tags") or {}
    pairs = tags if isinstance(tags, Mapping) else {tag["Key"]: tag.get("Value", "") for tag in tags}
    return {key: str(value) for key, value in pairs.items() if not key.startswith("aws:")}


def _need(change: Change, facts: Mapping[str, Any], *, written: str, value: str = "") -> Need:
    action, _, rest = written.partition(" ")
    template, _, service = rest.partition(" to ")
    resource = _resource(change, facts, template=template, value=value)
    context = _context(change, facts, action=action, service=service, value=value)
    if action.startswith("ec2:") and change.before is None:
        context |= _of_a_new_network(change, action, resource)
    elif resource == _resource(change, facts, template="", value="") != "*":
        context |= _of_its_own(change, action)
    return Need(action=action, resource=resource, context=context)


def _of_a_new_network(change: Change, action: str, resource: str) -> dict[str, Any]:
    """With what EC2 tags something new, and the tags that it has when CloudFormation goes on with it."""
    if action == "ec2:CreateTags":
        return {"ec2:createaction": f"Create{change.type_name.rpartition(':')[2].replace('VPC', 'Vpc')}"}
    its = _tags(change.after) if resource.endswith(f"/{change.identifier}") else {}
    return {f"aws:resourcetag/{key}".lower(): text for key, text in its.items()}


def _of_its_own(change: Change, action: str) -> dict[str, Any]:
    """The tags that the resource has: those of before, or when CloudFormation goes on with what it has just made."""
    is_new = change.before is None and action.partition(":")[2].startswith(_MAKING)
    its = {} if is_new else _tags(change.after if change.before is None else change.before)
    return {f"aws:resourcetag/{key}".lower(): text for key, text in its.items()}


def _context(change: Change, facts: Mapping[str, Any], *, action: str, service: str, value: str) -> dict[str, Any]:
    if service:
        return {"iam:passedtoservice": service}
    if action == "kms:CreateGrant":
        return {"kms:grantisforawsresource": "true"}  # it is for the service whose resource this is
    if change.type_name == "AWS::Lambda::EventSourceMapping":
        name = str((change.after or change.before or {}).get("FunctionName", "")).rpartition(":")[2]
        return {"lambda:functionarn": f"arn:aws:lambda:{change.region}:{change.account}:function:{name}"}
    boundary = (change.after or {}).get("PermissionsBoundary")
    keys: dict[str, Any] = {"iam:permissionsboundary": boundary} if boundary else {}
    if action in _OF_A_POLICY:
        named = value if value.startswith("arn:") else _resource(change, facts, template="", value="")
        return keys | {"iam:policyarn": named}
    tags = _tags(change.after) if change.before is None else {}
    if tags:
        keys["aws:tagkeys"] = list(tags)
    return keys | {f"aws:requesttag/{key}".lower(): text for key, text in tags.items()}


def _resource(change: Change, facts: Mapping[str, Any], *, template: str, value: str) -> str:
    if not template and change.identifier.startswith("arn:"):
        return change.identifier
    written = [template] if template else facts.get("arn", "*")
    for candidate in [written] if isinstance(written, str) else written:
        resource = _filled(change, candidate, value)
        if resource is not None:
            return resource
    return "*"


def _filled(change: Change, template: str, value: str) -> str | None:
    properties = change.after if change.after is not None else change.before
    known = {"account": change.account, "region": change.region, "name": change.identifier, "value": value}
    missing = False

    def text(match: re.Match[str]) -> str:
        nonlocal missing
        path, default = match.groups()
        found = known.get(path) or _at(properties, path) or default
        if not isinstance(found, str):
            missing = True
            return ""
        is_address = found.startswith(("arn:", "http"))
        return re.split("[:/]", found)[-1] if is_address and match[0] != template else found

    filled = _PLACEHOLDER.sub(text, template)
    return None if missing else filled.replace(":parameter//", ":parameter/")


def _values(properties: Properties | None, paths: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        value = _at(properties, path)
        found += value if isinstance(value, list) else [value] if value not in (None, "") else []
    return found


def _at(value: Any, path: str) -> Any:
    """The value at a dotted path; of a list, the values that its items have there."""
    for part in path.split("."):
        if isinstance(value, list):
            value = [item[part] for item in value if isinstance(item, Mapping) and part in item]
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _name(value: Any) -> str:
    return value if isinstance(value, str) else ""
