"""Whose a stack is, over all tags that it may bear; and how its name is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.asking import BeforeStage, stacks_told
from lambdas.saas.model.ownership import Owner, known_stacks
from lambdas.saas.pipeline_watch.before_deploy import Named
from tests.unit.lambdas.saas.pipeline_watch.test_before_deploy import (
    ACCOUNT,
    DATA,
    FACTORY,
    GIVEN,
    REGION,
    World,
    ref,
    standing,
)

_tags = st.fixed_dictionaries(
    {},
    optional={
        "granary:factory": st.sampled_from([FACTORY, "granary", "other/1/us-east-1", ""]),
        "granary:deployment": st.sampled_from(["acme", "acme-b", ""]),
        "owner": st.just("somebody"),
    },
)


@given(tags=_tags, recorded=st.booleans(), consents=st.booleans())
def test_only_what_is_told_to_be_the_tenants_or_is_agreed_to_is_deployed_over(
    tags: dict[str, str], recorded: bool, consents: bool
) -> None:
    known = known_stacks(World(known={"component_stacks": (ref(DATA),)}).get("acme")) if recorded else ()
    owner = Owner(deployment="acme", factory=FACTORY, known=known, consents=consents)
    may = not owner.why_not(Named(DATA, ACCOUNT, REGION), standing(DATA, **tags))
    tagged = tags.get("granary:factory") == FACTORY and tags.get("granary:deployment", "acme") == "acme"
    nobodys = not tags.get("granary:factory") and tags.get("granary:deployment", "acme") == "acme"
    assert may is (tagged or (nobodys and (recorded or consents)))


@given(names=st.lists(st.from_regex(r"silo-acme-[a-z][a-z0-9-]{0,20}", fullmatch=True), unique=True))
def test_names_are_told_shortly_and_read_whole(names: list[str]) -> None:
    asked = BeforeStage.of_parameters({**GIVEN, "stacks": stacks_told(names, of="silo-acme")})
    assert list(asked.stack_names) == names
