"""Reading a function's settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from lambdas.common.errors import GranaryError
from lambdas.common.settings import Document, read_settings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A handler's."""

    table: str
    hours: int
    policy: Document
    bucket: str = ""


def test_the_environment_and_the_documents_are_read(give_settings: Callable[..., None]) -> None:
    give_settings({"TABLE": "t", "HOURS": "0"}, policy="{}")
    assert read_settings(Settings) == Settings(table="t", hours=0, policy=Document("{}"))
    give_settings({"TABLE": "t", "HOURS": "0", "BUCKET": "b"}, policy="{}")
    assert read_settings(Settings).bucket == "b"


def test_everything_that_is_wrong_is_named_at_once(give_settings: Callable[..., None]) -> None:
    give_settings({"TABLE": "", "HOURS": "two"})
    with pytest.raises(GranaryError) as raised:
        read_settings(Settings)
    for what in ("TABLE is missing", "HOURS is no whole number: 'two'", "documents/policy.json is missing"):
        assert what in str(raised.value)
