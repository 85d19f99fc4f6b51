"""The import of one report: what is gone, what is there, then the news of it, and a letter about what was refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from lambdas.common.bus import put_event
from lambdas.common.clock import AHEAD, moment
from lambdas.common.errors import CapacityError, UnreadableError
from lambdas.common.evidence.kept_report import Head, KeptReport
from lambdas.common.written import cut
from lambdas.gates.model.asff import Asff, batches
from lambdas.gates.model.hub_plan import Plan
from lambdas.gates.store.security_hub import SecurityHub

logger = logging.getLogger(__name__)

EVENT = "FindingsImported"
_TOLD, _WORDS = 100, 500  # refusals that a dead letter has, and characters of each


@dataclass(frozen=True, kw_only=True)
class Import:
    """Imports reports; `bus` and `source` are where and as whom it says so, `letters` the queue of dead letters."""

    s3: Any
    hub: SecurityHub
    events: Any
    bus: str
    source: str
    sqs: Any
    letters: str
    clock: Callable[[], datetime]

    def run(self, bucket: str, key: str) -> dict[str, int]:
        """Import a report; answer with the counts.

        Whatever part of it is refused for good is told, in the log, the event and a dead letter. All else raises, and
        the whole may be done again.
        """
        report = self._read(bucket, key)
        if moment(report.head.created) > self.clock() + AHEAD:
            # Security Hub would have it as the latest for as long, and every report until then as older.
            raise UnreadableError(f"{key} is of {report.head.created}, which is to come: run the gate again")
        plan = Plan(self.hub.hub, report.head)
        plan.name(report)
        # Read to the end before anything is written, for that changes what pages there are. Text takes little memory.
        gone = [json.dumps(one) for one in plan.look(self.hub.findings(self.hub.hub.ids(report.head)))]
        refused = dict(self._put(chain(map(json.loads, gone), plan.sent(report))))
        counts = plan.counts(refused) | {"unread": len(plan.unread)}
        wrong = refused | {one.where: one.reason for one in plan.unread}
        if wrong:
            self._tell(bucket, key, wrong)
        self._publish(key, report.head, counts)
        return counts

    def _read(self, bucket: str, key: str) -> KeptReport:
        report = KeptReport(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        if not report.head.belongs(key):
            raise UnreadableError(
                f"{key} is said to be of gate {report.head.gate} and target {report.head.target}: "
                f"such a report belongs to {report.head.key('RUN')}"
            )
        return report

    def _put(self, findings: Iterator[Asff]) -> Iterator[tuple[str, str]]:
        unfit: dict[str, str] = {}
        for batch in batches(findings, unfit.__setitem__):
            yield from self.hub.put(batch).items()
        yield from unfit.items()

    def _tell(self, bucket: str, key: str, wrong: Mapping[str, str]) -> None:
        logger.error("%d parts of %s are not in Security Hub, such as %s", len(wrong), key, next(iter(wrong.items())))
        told = {name: cut(words, _WORDS) for name, words in list(wrong.items())[:_TOLD]}
        letter = {"bucket": bucket, "key": key, "refused": told, "more": len(wrong) - len(told)}
        self.sqs.send_message(QueueUrl=self.letters, MessageBody=json.dumps(letter))

    def _publish(self, key: str, head: Head, counts: Mapping[str, int]) -> None:
        said = {"gate": head.gate, "target": head.target, "revision": head.revision, "deployment": head.deployment}
        detail = {**said, "report": key, "complete": head.complete and not counts["unread"], **counts}
        if refused := put_event(self.events, bus=self.bus, source=self.source, kind=EVENT, detail=detail):
            raise CapacityError(f"the bus did not take the event of {key}: {refused}")
