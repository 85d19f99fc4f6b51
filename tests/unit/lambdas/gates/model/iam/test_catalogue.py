"""What is published of AWS, as the environment's packages ship it."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata

import pytest

from lambdas.gates.model.iam import catalogue
from lambdas.gates.model.iam.catalogue import Catalogue


def test_its_date_is_told() -> None:
    assert datetime(2026, 1, 1, tzinfo=UTC) < datetime.fromisoformat(f"{Catalogue().date}T00:00:00+00:00")


def test_it_has_the_types_and_actions_of_aws() -> None:
    assert len(Catalogue().types) > 1_500
    assert len(Catalogue().actions) > 20_000
    assert Catalogue().schema("Somebody::Own::Type") is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::IAM::Role", "RoleName"),
        ("AWS::SNS::Topic", "TopicArn"),
        ("AWS::ApiGateway::Method", ""),
        ("Own::A::B", ""),
    ],
)
def test_what_ref_answers_is_of_the_schema(kind: str, name: str) -> None:
    assert Catalogue().name_of(kind) == name


def test_what_nobody_ships_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a managed policy of AWS is undecidable, and not harmless."""

    def absent(package: str, path: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(catalogue, "_read", absent)
    assert Catalogue().managed_policy("arn:aws:iam::aws:policy/AdministratorAccess") is None
