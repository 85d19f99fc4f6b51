"""Starting provisioning builds, and asking how they ended."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.aws_errors import PASSING
from lambdas.common.errors import CapacityError
from lambdas.common.idempotency import start_token
from lambdas.saas.store.builds import ProvisioningBuilds
from tests.unit.lambdas.saas.fakes import RELEASE


@pytest.fixture
def codebuild(aws: None) -> Any:
    return boto3.client("codebuild", region_name="eu-west-1")


@pytest.fixture
def project(codebuild: Any) -> ProvisioningBuilds:
    return ProvisioningBuilds(client=codebuild, project="granary-provisioning", releases_bucket="releases")


def test_a_build_runs_the_pinned_release(codebuild: Any, project: ProvisioningBuilds) -> None:
    asked = {
        "projectName": "granary-provisioning",
        "idempotencyToken": "t",
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": "releases/releases/abc123/source.zip",
        "sourceVersion": "v1",
        "environmentVariablesOverride": [
            {"name": "DEPLOYMENT_IDS", "value": json.dumps(["silo1", "pool1"]), "type": "PLAINTEXT"},
            {"name": "RELEASE", "value": RELEASE.to_json(), "type": "PLAINTEXT"},
        ],
    }
    with Stubber(codebuild) as stub:
        stub.add_response("start_build", {"build": {"id": "granary-provisioning:1"}}, asked)
        assert project.start(["silo1", "pool1"], release=RELEASE, token="t") == "granary-provisioning:1"


@pytest.mark.parametrize("code", sorted(PASSING))
def test_a_limit_is_told_apart(codebuild: Any, project: ProvisioningBuilds, code: str) -> None:
    with Stubber(codebuild) as stub:
        stub.add_client_error("start_build", code, "Cannot have more than 1 builds in queue")
        with pytest.raises(CapacityError, match="more than 1 builds"):
            project.start(["silo1"], release=RELEASE, token="t")


def test_a_fault_stays_a_fault(codebuild: Any, project: ProvisioningBuilds) -> None:
    with Stubber(codebuild) as stub:
        stub.add_client_error("start_build", "AccessDeniedException")
        with pytest.raises(ClientError):
            project.start(["silo1"], release=RELEASE, token="t")


def test_ended_asks_in_batches_and_takes_forgotten_builds_for_ended(
    codebuild: Any, project: ProvisioningBuilds
) -> None:
    asked = [f"granary-provisioning:{number:03}" for number in range(150)]
    known = [{"id": asked[0], "buildComplete": False}, {"id": asked[1], "buildComplete": True}]
    with Stubber(codebuild) as stub:
        stub.add_response("batch_get_builds", {"builds": known}, {"ids": asked[:100]})
        stub.add_response("batch_get_builds", {"builds": []}, {"ids": asked[100:]})
        assert project.ended(asked) == set(asked[1:])


@pytest.mark.parametrize(
    "claims", [[], ["", "somebody"], ["another:1"], ["granary-provisioning:"], ["granary-provisioning:1\n", ":", "x:é"]]
)
def test_ended_of_no_build_asks_nothing(codebuild: Any, project: ProvisioningBuilds, claims: list[str]) -> None:
    with Stubber(codebuild):
        assert project.ended(claims) == set()


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        ([], ""),
        ([{"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"}, {"phaseType": "COMPLETED"}], ""),
        (
            [{"phaseType": "DOWNLOAD_SOURCE", "phaseStatus": "FAILED", "contexts": [{"message": "NoSuchVersion: no"}]}],
            "phase DOWNLOAD_SOURCE: NoSuchVersion: no",
        ),
        ([{"phaseType": "QUEUED", "phaseStatus": "TIMED_OUT", "contexts": [{}]}], "phase QUEUED: TIMED_OUT"),
    ],
)
def test_a_build_tells_where_it_failed(
    codebuild: Any, project: ProvisioningBuilds, phases: list[dict[str, Any]], told: str
) -> None:
    with Stubber(codebuild) as stub:
        stub.add_response("batch_get_builds", {"builds": [{"id": "p:1", "phases": phases}]}, {"ids": ["p:1"]})
        assert project.why_failed("p:1") == told


@given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5)))
def test_tokens_fit_and_tell_starts_apart(one: list[str], other: list[str]) -> None:
    assert len(start_token(*one)) <= 64
    if "\n".join(one) != "\n".join(other):
        assert start_token(*one) != start_token(*other)
