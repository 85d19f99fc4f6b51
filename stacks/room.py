"""What a room contributes to the house, and the base of its stacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from component import SPEC
from config.models import Configuration
from lambdas.common.errors import GranaryError
from lambdas.common.names import ROOM_TAG
from stacks.foundation import Foundation

# A synth of its own: the app, the configuration and the value of its context key.
Mode = Callable[[cdk.App, Configuration, str], object]


_NAME = re.compile(r"[a-z][a-z0-9]*")
# Second words of names that the toolchain and the tenants bear: a room's stacks, functions and projects must not.
_TAKEN = frozenset((
    "access", "adoption", "advance", "archive", "artifacts", "asset", "assets", "chat", "cicd", "common", "data",
    "dead", "deployment", "deployments", "factory", "failures", "fleet", "lifecycle", "onboard", "pipeline",
    "pool", "provisioning", "publish", "release", "releases", "rooms", "self", "silo", "source", "sweep", "synth",
    "task", "tasks", "tenant", "tenants", "toolchain", "workload",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RoomStep:
    """A CodeBuild step of CI/CD that runs `python -m buildspecs.<room>.<job>` on the source, with `cdk.out` beside it.

    `statements` are what its role, which is its own, may do besides; the role has a name where others trust it, by
    what it is for (`names.room_role`). `exports` are variables that it leaves in `.build/<room>/variables.sh`, and its
    build exports.
    """

    job: str
    role: str = ""
    statements: Callable[[Foundation], Sequence[iam.PolicyStatement]] = lambda _: ()
    environment: Callable[[Foundation], Mapping[str, str]] = lambda _: {}
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room: every part may be absent.

    `stacks` adds the room's stacks (`RoomStack`) to the stage that CI/CD deploys, given its section of the
    configuration; `administrators` adds those that the administrators of workload accounts deploy. `checks` are jobs
    (`buildspecs/<room>/<job>`) at the end of CI/CD's synth build, before anything is deployed. `before_synth` are steps
    that the synth waits for, `before_release` steps between the rooms' stacks and the release. `actions` are jobs whose
    functions (`names.room_function`) each tenant's pipeline invokes at the end of its Deploy stage, and which take
    `action_minutes` of the section at most, all in all. Given the section, or None when the room is off,
    `check_statements` are what the synth build's role may do for the checks, of the commit that switches the room on
    too. `check_elsewhere` are what builds of other rooms' own pipelines may do that have the room check them. `demands`
    names the gates whose verdicts a release needs. `modes` are syntheses of the room's own, by the context key that
    asks for them.

    A room is on when the file `config/<name>.yaml` is there; one that is `always` on has none. `parts` add stacks of
    their own, each when the file `config/<part>.yaml` is there.
    """

    name: str
    stacks: Callable[[Construct, Foundation, Any], object] | None = None
    administrators: Callable[[Construct, Foundation, Any], object] | None = None
    checks: tuple[str, ...] = ()
    before_synth: tuple[RoomStep, ...] = ()
    before_release: tuple[RoomStep, ...] = ()
    actions: tuple[str, ...] = ()
    action_minutes: Callable[[Any], int] = lambda _: 0
    check_statements: Callable[[Foundation, Any], Sequence[iam.PolicyStatement]] = lambda *_: ()
    check_elsewhere: Callable[[Foundation, Any], Sequence[iam.PolicyStatement]] = lambda *_: ()
    demands: Callable[[Any], Sequence[str]] = lambda _: ()
    modes: Mapping[str, Mode] = field(default_factory=dict)
    parts: Mapping[str, Callable[[Construct, Foundation, Any], object]] = field(default_factory=dict)
    always: bool = False

    def __post_init__(self) -> None:
        taken = _TAKEN | {purpose.partition("-")[0] for purpose in SPEC.workload_roles}
        if not _NAME.fullmatch(self.name) or self.name in taken:
            raise GranaryError(
                f"{self.name!r} cannot be the name of a room: use lower-case letters and digits that begin no name of "
                f"the factory ({', '.join(sorted(taken))})"
            )


class RoomStack(cdk.Stack):
    """`<prefix>-<room>[-<part>]`: in the toolchain account, in its Region or in another that has an artifact store.

    What depends on another of the room's stacks, by name or parameter too, says so with `add_stack_dependency`.
    """

    def __init__(
        self, scope: Construct, *, room: str, foundation: Foundation, part: str = "", region: str = ""
    ) -> None:
        name = foundation.names.room_stack(room, part)
        env = cdk.Environment(account=foundation.account, region=region or foundation.region)
        super().__init__(scope, name, stack_name=name, env=env)
        # It is found by its tag when the room is no longer in the configuration, or in the source.
        self.add_stack_tag(ROOM_TAG, f"{foundation.names.prefix}/{room}")
