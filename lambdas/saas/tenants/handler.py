"""Answers what other rooms want to know of a tenant, or of an execution of its pipeline; writes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lambdas.common.clients import client
from lambdas.saas.store.tables import StatusReader
from lambdas.saas.tenants.answer import Question, answer


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one question: see `answer`."""
    question = Question.of(event)
    statuses = StatusReader(client=client("dynamodb"), name=os.environ["STATUS_TABLE"])
    return answer(statuses.get(question.deployment), question)
