"""What an assembly lists, and who takes it on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.assets import CLAIMS, HELD, Asset, Claim, Take, Wait, decide, listed
from tests.unit.lambdas.saas.fakes import START

ROLE = "arn:${AWS::Partition}:iam::222222222222:role/granary/cdk-granary-file-publishing-role-222222222222-cn-north-1"
PLACE = {"bucketName": "b", "objectKey": "components/0a.zip", "region": "cn-north-1", "assumeRoleArn": ROLE}
IMAGE = {"repositoryName": "r", "imageTag": "0b", "region": "cn-north-1", "assumeRoleArn": ROLE}
STACKS = {"a": {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.json"}}}}
FOUND = ROLE.replace("${AWS::Partition}", "aws-cn")
FILE = Asset(image=False, region="cn-north-1", role=FOUND, holder="b", name="components/0a.zip")


def _manifest(path: str = "../asset.0a", **more: Any) -> dict[str, Any]:
    return {"files": {"0a": {"source": {"path": path}, "destinations": {"x": PLACE}}}, **more}


def test_files_and_images_are_listed_once_each() -> None:
    images = {"0b": {"source": {"directory": "../asset.0b"}, "destinations": {"x": IMAGE}}}
    found = listed({"a/S.assets.json": _manifest(dockerImages=images), "a/b/T.assets.json": _manifest()}, STACKS)
    assert found == [FILE, Asset(image=True, region="cn-north-1", role=FOUND, holder="r", name="0b")]
    assert found[0].key == "asset/222222222222/cn-north-1/b/components/0a.zip"


def test_a_stacks_template_is_not_listed_and_a_nested_ones_is() -> None:
    """What differs from tenant to tenant anyway is deployed from the artifact; a build for it would publish nothing."""
    assert listed({"a/S.assets.json": _manifest("S.json")}, STACKS) == []
    assert listed({"a/S.assets.json": _manifest("S.nested.json")}, STACKS) == [FILE]


@pytest.mark.parametrize(
    "spoilt",
    [
        [],
        {"files": {"0a": {}}},
        {"files": {"0a": {"source": {}, "destinations": {"x": {**PLACE, "assumeRoleArn": "somebody"}}}}},
        {"files": {"0a": {"source": {}, "destinations": {"x": {"bucketName": "b", "objectKey": "k"}}}}},
    ],
)
def test_a_list_that_cannot_be_read_is_told_by_name(spoilt: Any) -> None:
    with pytest.raises(ValueError, match=r"a/S\.assets\.json is no list of assets"):
        listed({"a/S.assets.json": spoilt}, STACKS)


NAMES = st.sampled_from("abcde")
BUILDS = ("p:1", "p:2")
CLAIM = st.builds(
    Claim,
    by=st.sampled_from(["e1", "e2", "e3"]),
    since=st.integers(0, 9).map(lambda minutes: stamp(START - timedelta(minutes=minutes))),
    build=st.sampled_from(["", *BUILDS]),
)


def _asset(name: str) -> Asset:
    return Asset(image=False, region="eu-west-1", role=FOUND, holder="b", name=name)


@given(
    missing=st.sets(NAMES, min_size=1),
    claims=st.dictionaries(NAMES, CLAIM),
    running=st.sets(st.sampled_from(BUILDS)),
)
def test_nobody_publishes_what_somebody_is_at_work_on(
    missing: set[str], claims: dict[str, Claim], running: set[str]
) -> None:
    """Whatever is claimed: one begins who meets no build that runs, and no claim of another that is fresh."""
    assets = [_asset(name) for name in missing]
    known = {_asset(name).key: claim for name, claim in claims.items()}
    met = [claims[name] for name in missing if name in claims]
    at_work = [one for one in met if one.build in running]
    fresh = stamp(START - HELD)
    about_to = [one for one in met if not one.build and one.by != "e1" and one.since > fresh]
    match decide(assets, known, by="e1", running=running, now=START):
        case Wait(build=build, own=own):
            assert at_work or about_to
            assert not build or any((one.by == "e1", one.build) == (own, build) for one in met)
        case Take(keys=keys, since=since):
            assert not at_work
            assert not about_to
            assert keys
            assert set(keys) <= {one.key for one in assets}
            assert all(known[key] == Claim(by="e1", since=since) for key in keys if since)
            assert since or set(keys) == {one.key for one in assets}


def test_no_more_is_claimed_than_a_transaction_holds() -> None:
    taken = decide([_asset(str(n)) for n in range(250)], {}, by="e1", running=set(), now=START)
    assert isinstance(taken, Take)
    assert len(taken.keys) == CLAIMS
