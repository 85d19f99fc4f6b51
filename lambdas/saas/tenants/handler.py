"""Answers what other rooms want to know of a tenant, or of an execution of its pipeline; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.clients import client
from lambdas.common.settings import read_settings
from lambdas.saas.store.tables import StatusReader
from lambdas.saas.tenants.answer import Question, answer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    status_table: str


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one question: see `answer`."""
    question = Question.of(event)
    statuses = StatusReader(client=client("dynamodb"), name=read_settings(Settings).status_table)
    return answer(statuses.get(question.deployment), question)
