"""Fixtures that the tests of the Lambda functions share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.common.settings import DOCUMENTS
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.store.tables import Statuses, StatusTable
from tests.unit.lambdas.saas.fakes import FakeBuilds, FakeClock, FakeReleases, FakeStatuses

_EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture
def sample() -> Callable[[str], Any]:
    """Read an event sample by its name."""
    return lambda name: json.loads((_EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def silo1() -> DeploymentRecord:
    return DeploymentRecord(id="silo1", type="silo", account="222222222222", region="eu-west-1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fake_statuses() -> FakeStatuses:
    return FakeStatuses()


@pytest.fixture
def builds() -> FakeBuilds:
    return FakeBuilds()


@pytest.fixture
def releases() -> FakeReleases:
    return FakeReleases()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS of moto's, in this process, with credentials that are good nowhere else."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


@pytest.fixture
def give_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Give a function the environment and the documents of its package."""

    def give(environment: Mapping[str, str], **documents: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
        (tmp_path / DOCUMENTS).mkdir(exist_ok=True)
        for name, text in documents.items():
            (tmp_path / DOCUMENTS / f"{name}.json").write_text(text, encoding="utf-8")

    return give


@pytest.fixture
def make_table(aws: None) -> Callable[[str], Any]:
    """Make a table keyed by id in moto's DynamoDB; answers the client."""

    def make(name: str) -> Any:
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return client

    return make


@pytest.fixture(params=["fake", pytest.param("dynamodb", marks=pytest.mark.slow)])
def statuses(request: pytest.FixtureRequest) -> Statuses:
    """Each implementation of the port in turn, so that the fake cannot drift from the table."""
    if request.param == "fake":
        return FakeStatuses()
    make_table = request.getfixturevalue("make_table")
    return StatusTable(client=make_table("statuses"), name="statuses")
