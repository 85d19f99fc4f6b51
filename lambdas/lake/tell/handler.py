"""Lambda function `lake-tell`: writes what people are told of a run of governance; the state machine sends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common.settings import read_settings
from lambdas.lake.model.governance.notices import notice


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    plans_bucket: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a state of the state machine; answer with the detail of an event that tells people of it."""
    return notice(event, bucket=read_settings(Settings).plans_bucket)
