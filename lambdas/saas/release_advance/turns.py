"""Answering the token of a turn: with its outcome, or with the wish to have the turn again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.saas.model.status import Outcome
from lambdas.saas.release_advance.advance import Advance, BusyError, Turn
from lambdas.saas.release_advance.decide import BUSY, FAULT
from lambdas.saas.store.tenant_copies import PipelineGoneError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Turns:
    """Takes turns so that the state machine always gets an answer, whatever happens."""

    advance: Advance

    def take(self, op: str, turn: Turn) -> dict[str, Any]:
        """Advance or roll back; answers, like the token, the outcome (empty while a pipeline runs).

        Raises:
            GranaryError: there is no such operation.
        """
        work: Callable[[Turn], str | None] | None = {
            "advance": self.advance.advance,
            "roll_back": self.advance.roll_back,
        }.get(op)
        if work is None:
            raise GranaryError(f"the function `release-advance` knows no operation {op!r}")
        try:
            outcome = self._outcome(work, turn)
        except BusyError as error:
            logger.info("deployment %s has to wait: %s", turn.item.id, error)
            self.advance.tokens.fail(turn.token, error=BUSY, cause=str(error))
            return answer("")
        except Exception as error:
            # A fault of ours or of a service's: the machine tries again, and gives up in the end.
            logger.exception("deployment %s has to wait", turn.item.id)
            self.advance.tokens.fail(turn.token, error=FAULT, cause=f"{type(error).__name__}: {error}")
            return answer("")
        if outcome is not None:
            self.advance.answer(turn, outcome, answer(outcome))
        return answer(outcome or "")

    def give_up(self, turn: Turn, error: Mapping[str, Any]) -> dict[str, Any]:
        """Record that a turn came to nothing."""
        return answer(self.advance.give_up(turn, error))

    def _outcome(self, work: Callable[[Turn], str | None], turn: Turn) -> str | None:
        try:
            return work(turn)
        except BusyError:
            raise
        except PipelineGoneError as error:
            return self.advance.fail(turn, str(error), outcome=Outcome.SKIPPED)
        except GranaryError as error:
            return self.advance.fail(turn, str(error))


def answer(outcome: str) -> dict[str, Any]:
    """What the map's items come to; `count` is all that they hand on, for all outcomes of a ring must fit together."""
    return {"outcome": outcome, "count": 1}
