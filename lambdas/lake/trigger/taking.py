"""Taking in what arrives: an object version is claimed first, and then its run is started, once."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.isolation import contained
from lambdas.lake.model.arrivals import arrivals
from lambdas.lake.model.datasets import dataset_of
from lambdas.lake.model.notices import refused
from lambdas.lake.model.objects import Arrival, AuditRow, Folder, Phase
from lambdas.lake.store.audit_table import AuditTable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Taking:
    """Takes in messages of S3. Killed anywhere, it finishes when the message is delivered again."""

    audit: AuditTable
    states: Any
    machine: str
    sns: Any
    topic: str
    folders: Sequence[Folder]

    def handle(self, messages: Sequence[Mapping[str, Any]]) -> list[str]:
        """Take in messages; answers the ids of those that are to be delivered again, and go to the dead letters."""
        failed = []
        for message in messages:
            done = False
            with contained(f"the message {message['messageId']} could not be taken in"):
                for arrival in arrivals(message["body"]):
                    self.take(arrival)
                done = True
            if not done:
                failed.append(message["messageId"])
        return failed

    def take(self, arrival: Arrival) -> None:
        """Claim an object version, and start its run, unless that has been done."""
        if arrival.is_marker:
            logger.info("%s only stands for a folder", arrival.object.key)
            return
        folder = dataset_of(arrival.object.key, self.folders)
        row = self.audit.claim(arrival, dataset=folder.dataset if folder else "")
        if row.phase is Phase.CLAIMED:
            self.start(row)
        elif row.phase is Phase.REFUSED:
            notice = refused(row)
            self.sns.publish(TopicArn=self.topic, Subject=notice.subject, Message=notice.message)
        else:
            logger.info("%s is %s: nothing is to be done", row.key, row.phase)

    def start(self, row: AuditRow) -> None:
        """Start the run of a claim; the same claim starts one run, however often it is tried.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        with ignoring("ExecutionAlreadyExists"):
            self.states.start_execution(
                stateMachineArn=self.machine, name=row.run, input=json.dumps(run_input(row), sort_keys=True)
            )
        self.audit.started(row)


def run_input(row: AuditRow) -> dict[str, str]:
    """What a run is given: the arguments of its jobs that are the object's own."""
    return {
        "object_id": row.id,
        "bucket": row.bucket,
        "key": row.key,
        "version": row.version,
        "day": row.day,
        "dataset": row.dataset,
        "run": row.run,
    }
