"""Jobs that ask for assets: who publishes, who waits, and what either is told."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.saas.assets.work import Asked
from tests.unit.lambdas.saas.assets.world import World, an_asset

ONE, TWO, IMAGE = an_asset("one"), an_asset("two"), an_asset("three", image=True)
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "StartBuild"}}, "StartBuild")
# A tenant's own asset: its id is in the bytes.
OWN = {name: an_asset(f"of-{name}") for name in ("ada", "ben")}


@pytest.fixture
def world() -> World:
    """Two tenants of one release."""
    return World(lists={"ada": [ONE, TWO], "ben": [ONE, TWO]})


def test_what_is_there_is_not_published(world: World) -> None:
    world.places = {ONE, TWO}
    assert world.job("ada") == "2 assets are where they should be"
    assert (world.builds, world.claims) == ({}, {})


def test_one_build_publishes_for_two(world: World) -> None:
    """Given two who ask, then one build publishes, of the first one's assembly, and nothing is left behind."""
    first, second = world.waits("ada"), world.waits("ben")
    assert list(world.builds) == ["p:1"]
    order = world.builds["p:1"].order
    assert (order.location, order.stack, order.images) == ("artifacts/ada", "silo-ada-pipeline", False)
    first, second = world.waits("ada", first), world.waits("ben", second)
    world.end("p:1")
    assert world.job("ben", second) == world.job("ada", first) == "2 assets are where they should be"
    assert (len(world.builds), world.claims) == (1, {})


def test_an_image_is_built_with_docker() -> None:
    world = World(lists={"ada": [ONE, IMAGE]}, places={ONE})
    world.waits("ada")
    assert world.builds["p:1"].order.images


def test_what_is_a_tenants_own_is_published_after_what_is_not() -> None:
    """Given an asset of all and one of each, then who waited for the first one's build publishes his own."""
    world = World(lists={name: [ONE, own] for name, own in OWN.items()})
    first, second = world.waits("ada"), world.waits("ben")
    assert world.going == ["p:1"]
    world.end("p:1")
    assert "2 assets" in str(world.job("ada", first))
    second = world.waits("ben", second)
    assert world.builds["p:2"].order.location == "artifacts/ben"
    world.end("p:2")
    assert "2 assets" in str(world.job("ben", second))


def _fails(world: World, tenant: str, token: str, *, build: str) -> None:
    with pytest.raises(GranaryError, match=f"assets were not published: build {build} FAILED"):
        world.job(tenant, token)


def test_what_fails_of_one_tenants_own_harms_no_other() -> None:
    """Given one whose own asset cannot be published, then it fails alone: what all need is published by the next."""
    names = ("ada", "ben", "cleo")
    world = World(lists={name: [ONE] for name in names} | {"ada": [ONE, OWN["ada"]]})
    first, second, third = (world.waits(name) for name in names)
    world.end("p:1", why="build p:1 FAILED: no Dockerfile")
    _fails(world, "ada", first, build="p:1")
    second, third = world.waits("ben", second), world.waits("cleo", third)
    assert world.going == ["p:2"]
    world.end("p:2")
    assert world.job("ben", second) == world.job("cleo", third) == "1 assets are where they should be"


def test_who_has_what_he_waited_for_is_not_told_what_else_failed() -> None:
    world = World(lists={"ada": [ONE, OWN["ada"]], "ben": [ONE]})
    first, second = world.waits("ada"), world.waits("ben")
    world.end("p:1", why="build p:1 FAILED: no Dockerfile")
    world.places = {ONE}
    _fails(world, "ada", first, build="p:1")
    assert "1 assets" in str(world.job("ben", second))
    assert list(world.builds) == ["p:1"]


def test_what_cannot_be_published_is_tried_twice_for_all_and_again_by_a_retry(world: World) -> None:
    """However many wait: who has waited for two builds that failed is told."""
    world.lists["cleo"] = [ONE]
    first, second, third = (world.waits(name) for name in world.lists)
    world.end("p:1", why="build p:1 FAILED: no network")
    _fails(world, "ada", first, build="p:1")
    second, third = world.waits("ben", second), world.waits("cleo", third)
    assert world.going == ["p:2"]
    world.end("p:2", why="build p:2 FAILED: no network")
    _fails(world, "ben", second, build="p:2")
    _fails(world, "cleo", third, build="p:2")
    world.clock.pass_time(minutes=1)
    again, other = world.waits("ben"), world.waits("ada")
    assert world.going == ["p:3"]
    world.end("p:3")
    assert world.job("ada", other) == world.job("ben", again)


def test_a_build_that_published_something_else_is_not_repeated_for_ever(world: World) -> None:
    token = world.waits("ada")
    world.end("p:1", publishes=False)
    with pytest.raises(GranaryError, match=r"not published: build p:1 is over without bucket/one \(eu-west-1"):
        world.job("ada", token)


def test_a_build_whose_start_nobody_heard_of_bars_no_other_order() -> None:
    """Given that somebody else has published the image meanwhile, then a build without Docker is another build."""
    world = World(lists={"ada": [ONE, IMAGE]})
    world.failures["answer"] = EndpointConnectionError(endpoint_url="https://codebuild")
    token = world.waits("ada")
    world.places = {IMAGE}
    world.waits("ada", token)
    assert [one.order.images for one in world.builds.values()] == [True, False]


@pytest.mark.parametrize("where", ["answer", "note"])
def test_a_function_that_died_is_taken_over_by_its_own_execution_at_once(world: World, where: str) -> None:
    """Given a build that nobody could note, then the same job, delivered again, finds it by its token."""
    world.failures[where] = RuntimeError("died")
    with pytest.raises(RuntimeError):
        world.job("ada")
    world.waits("ada")
    assert list(world.builds) == ["p:1"]


def test_a_function_that_died_is_taken_over_by_others_after_a_while(world: World) -> None:
    world.failures["start"] = RuntimeError("died")
    with pytest.raises(RuntimeError):
        world.job("ada")
    token = world.waits("ben")
    assert world.builds == {}
    world.clock.pass_time(minutes=6)
    token = world.waits("ben", token)
    assert world.builds["p:1"].order.location == "artifacts/ben"
    world.waits("ada")
    world.end("p:1")
    assert "2 assets" in str(world.job("ben", token))


@pytest.mark.parametrize("error", [CapacityError("full"), EndpointConnectionError(endpoint_url="https://codebuild")])
def test_what_may_pass_is_waited_for(world: World, error: Any) -> None:
    world.failures["start"] = error
    token = world.waits("ada")
    assert world.builds == {}
    world.waits("ada", token)
    assert world.going == ["p:1"]


def test_who_may_not_start_a_build_says_so_and_leaves_no_claim(world: World) -> None:
    world.failures["start"] = DENIED
    with pytest.raises(GranaryError, match=r"assets cannot be published: .*StartBuild"):
        world.job("ada")
    assert world.claims == {}


def test_nobody_waits_for_ever(world: World) -> None:
    token = world.waits("ada")
    world.clock.pass_time(minutes=91)
    with pytest.raises(GranaryError, match="not published: build p:1 was waited for, and is not over in time"):
        world.job("ada", token)


@pytest.mark.parametrize("version", ["", "2", "latest", "2.1.0 --registry=https://elsewhere"])
def test_what_is_no_version_is_installed_by_nobody(version: str) -> None:
    given = {"deployment": "ada", "type": "silo", "execution": "e1", "cli_version": version}
    with pytest.raises(GranaryError, match="is no version of the CDK CLI"):
        Asked.of_parameters(given, location="artifacts/ada")


@pytest.mark.parametrize("kind", ["--app=sh x;", "*", ""])
def test_what_is_no_tenant_is_no_option_of_the_cli(kind: str) -> None:
    given = {"deployment": "ada", "type": kind, "execution": "e1", "cli_version": "2.1.0"}
    with pytest.raises(GranaryError, match="is no tenant"):
        Asked.of_parameters(given, location="artifacts/ada")
