"""Whatever happens in whatever order: no asset is published by two builds at a time, and everybody gets an answer."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.common.pipeline_jobs import Later
from tests.unit.lambdas.saas.assets.world import World, an_asset

TENANTS = ("ada", "ben", "cleo")
ASSETS = [an_asset(name) for name in "abcd"]
LISTS = st.lists(st.sampled_from(ASSETS), min_size=1, unique=True)


class Publishing(RuleBasedStateMachine):
    """Tenants' jobs among builds that end as they like, functions that die, and CodeBuild that has no place."""

    names: Any = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.world = World(lists={})
        self.tokens: dict[str, str] = {}
        self.died = False

    @initialize(lists=st.tuples(LISTS, LISTS, LISTS))
    def releases(self, lists: tuple[Any, ...]) -> None:
        self.world.lists = dict(zip(TENANTS, lists, strict=True))

    @rule(tenant=st.sampled_from(TENANTS), trouble=st.sampled_from(["", "", "", "start", "answer", "note", "full"]))
    def asks(self, tenant: str, trouble: str) -> None:
        """A job is delivered, once more if its function died."""
        if trouble == "full":
            self.world.failures["start"] = CapacityError("full")
        elif trouble:
            self.world.failures[trouble] = RuntimeError("died")
        for _ in range(2):
            try:
                answer = self.world.job(tenant, self.tokens.get(tenant, ""))
            except RuntimeError:
                continue
            except GranaryError:
                answer = ""
            self._answered(tenant, answer)
            break
        self.world.failures.clear()

    def _answered(self, tenant: str, answer: str | Later) -> None:
        if isinstance(answer, Later):
            self.tokens[tenant] = answer.token
            return
        self.tokens.pop(tenant, None)
        if answer:
            assert not self.world.missing(self.world.lists[tenant])

    @precondition(lambda self: self.world.going)
    @rule(data=st.data(), why=st.sampled_from(["", "", "it failed"]))
    def ends(self, data: Any, why: str) -> None:
        self.world.end(data.draw(st.sampled_from(self.world.going)), why=why)

    @rule(minutes=st.integers(1, 4))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.pass_time(minutes=minutes)

    @rule(asset=st.sampled_from(ASSETS))
    def somebody_deletes(self, asset: Any) -> None:
        self.world.places.discard(asset)

    @invariant()
    def claims_of_builds_do_not_overlap(self) -> None:
        """Each build that goes on holds a claim, but one whose function has died for good before it was noted."""
        noted = {one.build for one in self.world.claims.values() if one.build}
        assert noted <= set(self.world.builds)
        for key, claim in self.world.claims.items():
            holders = [
                build
                for build in self.world.going
                if build in noted
                and key in {one.key for one in self.world.builds[build].assets}
                and build == claim.build
            ]
            assert len(holders) <= 1

    def teardown(self) -> None:
        """When nothing goes wrong any more, everybody gets through, or is told that he has waited too long."""
        for _ in range(4 * len(TENANTS)):
            for build in self.world.going:
                self.world.end(build)
            self.world.clock.pass_time(minutes=3)
            for tenant in self.world.lists:
                try:
                    self._answered(tenant, self.world.job(tenant, self.tokens.get(tenant, "")))
                except GranaryError:  # he is told of a build that failed before, or waited too long
                    self.tokens.pop(tenant, None)
        assert self.tokens == {}, self.world


TestPublishing = Publishing.TestCase
