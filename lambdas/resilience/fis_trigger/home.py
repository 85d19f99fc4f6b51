"""What attempts leave in the toolchain's account: events on the bus, and verdicts beside the release's bundle."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.bus import put_event
from lambdas.common.errors import GranaryError
from lambdas.common.revisions import DIGEST_METADATA, release_key
from lambdas.common.written import visible
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.model.survival import survival

logger = logging.getLogger(__name__)

_TOLD = 4_000
# S3 says that it is forbidden when who asks may not list the bucket, and the object is not there.
_UNKNOWN = (*NO_OBJECT, "403")
_THERE = "PreconditionFailed"


@dataclass(frozen=True, kw_only=True)
class AtHome:
    """Tells on the bus of `names`; keeps in the `bucket` of the releases."""

    s3: Any
    bucket: str
    events: Any
    names: ResilienceNames

    def tell(self, kind: str, attempt: Attempt) -> None:
        """Put an event about an attempt; raises GranaryError when the bus refuses it."""
        detail = {
            "id": attempt.deployment,
            "type": attempt.type,
            "account": attempt.account,
            "region": attempt.region,
            "ring": attempt.ring,
            "run": attempt.run,
            "revision": attempt.revision,
            "execution_id": attempt.execution,
            "attempt": attempt.id,
            "mode": attempt.plan.mode.value,
            "experiment": attempt.plan.experiment.name if attempt.plan.experiment else "",
            "experiment_id": attempt.experiment,
            "outcome": attempt.outcome,
            "reason": visible(attempt.reason)[:_TOLD],
            "at": attempt.since,
        }
        bus, source = self.names.event_bus, self.names.prefix
        if refused := put_event(self.events, bus=bus, source=source, kind=kind, detail=detail):
            raise GranaryError(f"the bus {bus} has not taken {kind!r}: {refused}")

    def keep(self, attempt: Attempt) -> None:
        """Keep the attempt's verdict; the first one that is kept of an attempt stays."""
        kept = survival(attempt, sha256=self._digest(attempt.revision) if attempt.revision else "")
        if kept:
            key, verdict = kept
            with ignoring(_THERE):
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=verdict.to_json().encode(), IfNoneMatch="*")

    def _digest(self, revision: str) -> str:
        """Of the very source that is released, as its object says."""
        with ignoring(*_UNKNOWN):
            found = self.s3.head_object(Bucket=self.bucket, Key=release_key(revision))
            return str(found["Metadata"].get(DIGEST_METADATA, ""))
        logger.warning("release %s has no object: what survives it is not kept", revision)
        return ""
