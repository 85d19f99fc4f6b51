"""Tenants' pipelines that ask for assets, among fakes: builds end when a test says so, well or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from botocore.exceptions import ClientError

from lambdas.common.pipeline_jobs import Later
from lambdas.saas.assets.publishing import Order, Seen
from lambdas.saas.assets.work import Asked, Work
from lambdas.saas.model.assets import Asset, Claim
from tests.unit.lambdas.saas.fakes import FakeClock

ROLE = "arn:aws:iam::222222222222:role/granary/cdk-granary-file-publishing-role-222222222222-eu-west-1"
PATIENCE = timedelta(minutes=90)


def an_asset(name: str, *, image: bool = False) -> Asset:
    holder = "repository" if image else "bucket"
    return Asset(image=image, region="eu-west-1", role=ROLE, holder=holder, name=name)


@dataclass
class Build:
    """A build and what it publishes; `said` is why it failed."""

    order: Order
    assets: Sequence[Asset]
    seen: Seen = field(default_factory=Seen)


@dataclass
class World:
    """What all tenants share; `lists` says what each tenant's assembly lists."""

    lists: dict[str, list[Asset]]
    places: set[Asset] = field(default_factory=set)
    builds: dict[str, Build] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)

    def _take_failure(self, where: str) -> None:
        if error := self.failures.pop(where, None):
            raise error

    # The builds

    def start(self, order: Order, *, token: str) -> str:
        self._take_failure("start")
        if token not in self.tokens:
            self.tokens[token] = f"p:{len(self.builds) + 1}"
            assets = self.lists[order.stack.removeprefix("silo-").removesuffix("-pipeline")]
            self.builds[self.tokens[token]] = Build(order, assets)
        self._take_failure("answer")
        if self.builds[self.tokens[token]].order != order:
            refusal = {"Error": {"Code": "InvalidInputException", "Message": "the token had other parameters"}}
            raise ClientError(refusal, "StartBuild")  # type: ignore[arg-type]
        return self.tokens[token]

    def look(self, build: str) -> Seen:
        return self.builds[build].seen

    def running(self, builds: Iterable[str]) -> set[str]:
        return {one for one in builds if not self.builds[one].seen.over}

    # The claims

    def get(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        return {key: self.claims[key] for key in keys if key in self.claims}

    def take(self, keys: Sequence[str], claim: Claim, was: Mapping[str, Claim]) -> bool:
        if any(_who(self.claims.get(key)) != _who(was.get(key)) for key in keys):
            return False
        self.claims |= dict.fromkeys(keys, claim)
        return True

    def note(self, keys: Sequence[str], claim: Claim, build: str) -> bool:
        self._take_failure("note")
        if any(_who(self.claims.get(key)) != _who(claim) for key in keys):
            return False
        self.claims |= dict.fromkeys(keys, replace(claim, build=build))
        return True

    def give_back(self, keys: Iterable[str], *, by: str) -> None:
        self.claims = {key: one for key, one in self.claims.items() if key not in keys or one.by != by}

    # What tests do

    def missing(self, assets: Iterable[Asset]) -> list[Asset]:
        return [one for one in assets if one not in self.places]

    def job(self, tenant: str, token: str = "") -> str | Later:
        work = Work(claims=self, builds=self, missing=self.missing, patience=PATIENCE, clock=self.clock)
        asked = Asked(
            deployment=tenant, type="silo", execution=f"e-{tenant}", cli_version="2.1.0", location=f"artifacts/{tenant}"
        )
        return work.job(asked, lambda: self.lists[tenant], token=token)

    def waits(self, tenant: str, token: str = "") -> str:
        """Take a job that has to wait, and answer its token."""
        answer = self.job(tenant, token)
        assert isinstance(answer, Later), answer
        return answer.token

    def end(self, build: str, *, why: str = "", publishes: bool = True) -> None:
        """A build ends; with a reason it has failed."""
        one = self.builds[build]
        if not why and publishes:
            self.places |= set(one.assets)
        one.seen = Seen(over=True, said=why)

    @property
    def going(self) -> list[str]:
        return sorted(one for one, build in self.builds.items() if not build.seen.over)


def _who(claim: Claim | None) -> tuple[str, str] | None:
    return (claim.by, claim.since) if claim else None
