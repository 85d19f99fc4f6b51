"""Releases: how they are named, kept and read."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError, NotReleasedError
from lambdas.common.revisions import release_key, revision_of
from lambdas.saas.model.releases import tenant_key
from lambdas.saas.store.release_parameter import ReleaseParameter
from tests.unit.lambdas.saas.fakes import RELEASE

PARAMETER = "/granary/release/current"


@given(st.text(max_size=100))
def test_a_revision_is_usable_in_names_or_refused(version: str) -> None:
    try:
        revision = revision_of(version)
    except GranaryError as error:
        assert "cannot name a release" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", revision)


@pytest.mark.parametrize(
    ("version", "revision"),
    [
        ("0f1e2d", "0f1e2d"),
        ("arn:aws:s3:::bucket/source.zip", "source.zip"),
        ("L4kqtJlcpXroDTDmpUMLUo", "L4kqtJlcpXroDTDmpUMLUo"),
        ("a b", "a-b"),
    ],
)
def test_source_versions_name_releases(version: str, revision: str) -> None:
    assert revision_of(version) == revision
    assert release_key(revision) == f"releases/{revision}/source.zip"


def test_the_current_release_is_read(aws: None) -> None:
    ssm: Any = boto3.client("ssm", region_name="eu-west-1")
    ssm.put_parameter(Name=PARAMETER, Value=RELEASE.to_json(), Type="String")
    assert ReleaseParameter(client=ssm, name=PARAMETER).current() == RELEASE


def test_before_the_first_release_it_is_said_what_to_do(aws: None) -> None:
    ssm = boto3.client("ssm", region_name="eu-west-1")
    with pytest.raises(NotReleasedError, match="push the source"):
        ReleaseParameter(client=ssm, name=PARAMETER).current()


@pytest.mark.parametrize("text", ["", "none", "[]", "{}", '{"revision": "a"}', "7", "[" * 3_000])
def test_a_parameter_that_holds_no_release_is_refused(aws: None, text: str) -> None:
    with Stubber(boto3.client("ssm", region_name="eu-west-1")) as ssm:
        ssm.add_response("get_parameter", {"Parameter": {"Value": text}})
        with pytest.raises(NotReleasedError, match=r"holds no release .*: run `granary repair --release`$"):
            ReleaseParameter(client=ssm.client, name=PARAMETER).current()


def test_a_parameter_that_cannot_be_read_is_as_if_nothing_were_released_yet(aws: None) -> None:
    """Whoever waits for the first release waits for this one too, and is told what to do."""
    ssm: Any = boto3.client("ssm", region_name="eu-west-1")
    ssm.put_parameter(Name=PARAMETER, Value='{"revision": 7}', Type="String")
    with pytest.raises(NotReleasedError, match=f"{PARAMETER} .*revision: 7 is no str.*run `granary repair --release`"):
        ReleaseParameter(client=ssm, name=PARAMETER).current()


def test_a_fault_is_no_missing_release(aws: None) -> None:
    with Stubber(boto3.client("ssm", region_name="eu-west-1")) as ssm:
        ssm.add_client_error("get_parameter", "AccessDeniedException")
        with pytest.raises(ClientError):
            ReleaseParameter(client=ssm.client, name=PARAMETER).current()


def test_each_tenant_has_a_source_of_its_own() -> None:
    keys = {tenant_key(kind, name) for kind in ("silo", "pool") for name in ("a", "b")}
    assert len(keys) == 4
    assert tenant_key("silo", "a") == "tenants/silo-a/source.zip"
