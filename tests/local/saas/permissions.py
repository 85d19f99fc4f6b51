"""Taking permissions away from a role of the deployed factory, and acting with those that it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_cloud.factory.granary import HOME, TOOLCHAIN, Granary


@contextmanager
def without(granary: Granary, role: str, action: str, *, on: str = "", account: str = TOOLCHAIN) -> Iterator[None]:
    """Deny an action to the role whose name contains `role`, on resources that contain `on`, until the block ends."""
    iam = granary.client("iam", account=account)
    name = _role_named(iam, role)
    policies = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    less = {policy: _without(document, action, on) for policy, document in policies.items()}
    assert less != policies, f"{name} has no permission for {action} on {on or 'anything'}: {policies}"
    _write(iam, name, less)
    try:
        yield
    finally:
        _write(iam, name, policies)


@contextmanager
def forbidden(granary: Granary, role: str, action: str, *, on: str) -> Iterator[None]:
    """Deny an action on a resource (an ARN) to the role whose name contains `role`, whatever else allows it."""
    iam = granary.client("iam")
    place = {"RoleName": _role_named(iam, role), "PolicyName": "test-forbidden"}
    statement = {"Effect": "Deny", "Action": action, "Resource": on}
    iam.put_role_policy(**place, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        yield
    finally:
        iam.delete_role_policy(**place)


def acting_as(granary: Granary, role: str) -> Callable[[str], Any]:
    """Makes clients that act as a role that only a service may assume, as what runs in its builds does."""
    keys = credentials_of(granary, role)
    return lambda service: granary.cloud.client(service, TOOLCHAIN, HOME, keys)


def credentials_of(granary: Granary, role: str) -> dict[str, str]:
    """Credentials of the role whose name contains `role`, as somebody has them who has stolen them."""
    iam = granary.client("iam")
    name = _role_named(iam, role)
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    anyone = {"Effect": "Allow", "Principal": {"AWS": TOOLCHAIN}, "Action": "sts:AssumeRole"}
    opened = {**trust, "Statement": [*trust["Statement"], anyone]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(opened))
    try:
        arn = f"arn:aws:iam::{TOOLCHAIN}:role/{name}"
        answer = granary.client("sts").assume_role(RoleArn=arn, RoleSessionName="stolen")
        return dict(answer["Credentials"])
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


def _role_named(iam: Any, part: str) -> str:
    names = [entry["RoleName"] for entry in iam.list_roles()["Roles"] if part in entry["RoleName"]]
    assert len(names) == 1, f"{part} names {names}"
    return str(names[0])


def _write(iam: Any, role: str, policies: Mapping[str, Mapping[str, Any]]) -> None:
    for policy, document in policies.items():
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


def _without(document: Mapping[str, Any], action: str, on: str) -> dict[str, Any]:
    kept: list[dict[str, Any]] = []
    for statement in document["Statement"]:
        actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
        touched = [resource for resource in resources if on in resource]
        if action not in actions or not touched:
            kept.append(statement)
            continue
        if others := [name for name in actions if name != action]:
            kept.append({**statement, "Action": others})
        if rest := [resource for resource in resources if resource not in touched]:
            kept.append({**statement, "Action": [action], "Resource": rest})
    return {**document, "Statement": kept}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
