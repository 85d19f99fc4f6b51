"""What the users' zone says of its component: `component/__init__.py` has a `SPEC` of this shape, and `build`; pure.

Nothing here imports the CDK, which starts Node: the configuration, the command line and the builds read a SPEC too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.record import Size

if TYPE_CHECKING:
    import aws_cdk as cdk

    from constructs_lib.common.workload_role import WorkloadRole
    from constructs_lib.saas.place import PublishedPlace

# With a hyphen, a part of one tenant could have the name of another tenant's stack.
_PART = re.compile(r"[a-z][a-z0-9]*")


class Settings(BaseModel):
    """Base of what `component:` in config/workloads.yaml may say; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def without_effect(self, *, accounts: Collection[str], regions: Collection[str]) -> list[str]:
        """Keys that are given and change nothing, each with the reason; `accounts` is empty where any may come."""
        del accounts, regions
        return []


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a deployment takes of the quotas of its account and Region; roles are counted in the whole account.

    `fargate_quarters` are the quarters of a vCPU that run; twice as many are counted, for a release has the new tasks
    beside the old ones.
    """

    stacks: int = 1
    roles: int = 0
    fargate_quarters: int = 0


class Lookup(Protocol):
    """Port to what may be looked at in a workload account before anything is deployed."""

    def client(self, service: str, *, account: str, region: str, allow: Sequence[str]) -> Any: ...
    def role_exists(self, name: str, *, account: str, region: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """An account and a Region that a deployment is to go to, as they are before it.

    `prefix` is that of the factory's names, `roles_advice` says who makes the zone's workload roles there, and how.
    `published` is what the landing zone publishes there (`place` in config/workloads.yaml), and has been found.
    """

    account: str
    region: str
    prefix: str
    roles_advice: str
    lookup: Lookup
    published: frozenset[str] = frozenset()

    def client(self, service: str, *, allow: Sequence[str]) -> Any:
        """A boto3 client there that may do what `allow` says; SPEC's `place_actions` are all that it could be."""
        return self.lookup.client(service, account=self.account, region=self.region, allow=allow)

    def role_problem(self, purpose: str) -> str | None:
        """Tell that one of the zone's workload roles is not there, and who makes it; None when it is."""
        name = f"{self.prefix}-{purpose}"
        if self.lookup.role_exists(name, account=self.account, region=self.region):
            return None
        return f"account {self.account} has no role {name}: {self.roles_advice}"


def _no_problem(place: Place, settings: Any) -> None:
    del place, settings


@dataclass(frozen=True, kw_only=True)
class BuildStep:
    """Commands that make, once a build, what the stacks of all tenants need: words without a shell, in the source.

    They run before each synth of tenants, as the role of that build. What they make must be the same wherever it is
    made: an asset that differs is a change of the pipeline.
    """

    name: str
    commands: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Spec(Generic[S]):
    """A component, beside the stacks that `build` makes.

    `settings` is what `component:` in config/workloads.yaml may say. `place_problem` tells what a place lacks before
    anything is deployed, and what to do; `place_actions` are what that looks at and IAM knows no resource for.
    `workload_roles` are roles that the administrator of a workload account makes once, by what they are for: each is
    called with its name, `<prefix>-<purpose>`.
    """

    settings: type[S]
    needs: Callable[[S, Size], Needs]
    place_problem: Callable[[Place, S], str | None] = _no_problem
    place_actions: tuple[str, ...] = ()
    workload_roles: Mapping[str, Callable[[str], WorkloadRole]] = field(default_factory=dict)
    build_steps: tuple[BuildStep, ...] = ()

    def role_names(self, prefix: str) -> tuple[str, ...]:
        """Names of the workload roles, in every workload account."""
        return tuple(f"{prefix}-{purpose}" for purpose in self.workload_roles)


@dataclass(frozen=True, kw_only=True)
class Tenant(Generic[S]):
    """A deployment in one of its places, as `build` is told of it.

    `prefix` is that of the factory's names; `tags` are the row's and its tier's, and come to every resource without
    `build`. `parameters` are all that config/workloads.yaml declares: as the row says, its tier, or the default.
    `place` is what the landing zone publishes where it stands.
    """

    id: str
    type: str
    account: str
    region: str
    is_standby: bool
    size: Size
    tags: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: S
    prefix: str
    qualifier: str
    place: PublishedPlace

    @property
    def name(self) -> str:
        """`<type>-<id>`: what the names of everything that it gets begin with."""
        return f"{self.type}-{self.id}"

    def stack_name(self, part: str = "") -> str:
        """Name of its stack, or of a further one: `<type>-<id>-<part>`.

        Raises:
            GranaryError: the part makes no name that the deploy role reaches.
        """
        if not part:
            return component_stack_name(self.type, self.id)
        if not _PART.fullmatch(part) or part in ("pipeline", "resources"):
            raise GranaryError(
                f"a stack cannot be called {self.name}-{part}: use lower-case letters and digits that begin with a "
                "letter, and neither `pipeline` nor `resources`"
            )
        return f"{self.name}-{part}"

    def synthesizer(self) -> cdk.DefaultStackSynthesizer:
        """How each of its stacks is deployed: with the roles of the bootstrap stack there."""
        from constructs_lib.common.targets import workload_synthesizer

        return workload_synthesizer(self.qualifier)
