"""An answer to a ring that waits for an approval."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from cli.common.errors import ConflictError
from cli.saas.runs import ASK_ANEW
from lambdas.common.aws_errors import code_of
from lambdas.common.task_tokens import NOBODY_WAITS
from lambdas.saas.model.runs import Ring
from lambdas.saas.release.answers import PROOF, words_of


class Answer(StrEnum):
    """What is said."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class Approvals:
    """The tasks of the release machine that wait for an answer."""

    stepfunctions: Any

    def answer(self, ring: Ring, answer: Answer, *, prove: Callable[[Mapping[str, Any]], object], reason: str) -> None:
        """Send the answer: the machine keeps it, so that saying it again after a lost call does no harm.

        `prove` signs it: who answers, AWS says.

        Raises:
            ConflictError: nobody waits for it any more.
        """
        said = {"approved": answer is Answer.APPROVED, "reason": reason}
        proven = {**said, PROOF: prove(words_of(ring.run, ring.index, said))}
        try:
            self.stepfunctions.send_task_success(taskToken=ring.approval_token, output=json.dumps(proven))
        except ClientError as error:
            if code_of(error) not in NOBODY_WAITS:
                raise
            raise ConflictError(
                f"ring {ring.name} does not wait any more: `granary release` shows where it stands. If that says it "
                f"still waits, somebody has spoilt its approval_token: {ASK_ANEW}"
            ) from error
