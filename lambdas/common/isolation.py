"""One bad thing harms only itself: a fault is logged where it happens, and everything else goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from lambdas.common.errors import GranaryError
from lambdas.common.log import about

logger = logging.getLogger(__name__)

_TOLD = 5


def fault(error: Exception) -> str:
    """An error in words, for a person."""
    return str(error) if isinstance(error, GranaryError) else f"{type(error).__name__}: {error}"


@contextmanager
def contained(what: str, *, deployment: str = "", run: str = "", noted: list[str] | None = None) -> Iterator[None]:
    """Leave the block when it fails; `what` says what failed, to the log and to who has it `noted`."""
    try:
        yield
    except Exception as error:
        with about(deployment=deployment, run=run):
            logger.exception("%s", what)
        if noted is not None:
            noted.append(f"{what} ({fault(error)})")


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What of a round failed: the round goes on, and fails at its end, so that an alarm tells of it."""

    found: list[str] = field(default_factory=list)

    def contained(self, what: str, *, deployment: str = "", run: str = "") -> AbstractContextManager[None]:
        """Leave the block when it fails, and remember that."""
        return contained(what, deployment=deployment, run=run, noted=self.found)

    def tell(self) -> None:
        """Raises GranaryError when something has failed."""
        if self.found:
            more = f", and {len(self.found) - _TOLD} more" if len(self.found) > _TOLD else ""
            raise GranaryError(f"all else was done, but these failed: {'; '.join(self.found[:_TOLD])}{more}")
