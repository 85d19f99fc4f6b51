"""1,000 files through trigger and claim: none lost, none twice, whatever comes twice, out of order, or is killed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random
from time import perf_counter
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from lambdas.lake.model.objects import AuditRow, Phase
from lambdas.lake.store.audit_table import AuditTable
from lambdas.lake.trigger.taking import Taking
from tests.bench.figures import Figure, Section, exactly
from tests.unit.lambdas.lake.arriving import FOLDERS, Machine, Topic, body, deliver, message, record

FILES = 1_000
_TABLE = "audit"
_KILLED = 50  # one call in so many
_NOBODY = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}  # as moto wants them


def measure(_rounds: int) -> Section:
    """Take them in, once: the counts are the point, and the same in every round."""
    chance, keys = Random(0), [f"tlc/green/{number}.csv" for number in range(FILES)]  # noqa: S311 - it shuffles
    # Each file once, half of them once more together with another one; and all messages twice.
    messages = [message(body(record(key)), number) for number, key in enumerate(keys)]
    messages += [message(body(*map(record, chance.sample(keys, 2))), FILES + number) for number in range(FILES // 4)]
    with patch.dict("os.environ", _NOBODY), mock_aws():
        taking = _taking()
        began = perf_counter()
        killed = deliver(taking, [*messages, *messages], chance, every=_KILLED)
        seconds = perf_counter() - began
        rows = [row for row in taking.audit.rows() if isinstance(row, AuditRow)]
    started = Counter(name.rpartition("-")[0] for name in taking.states.inputs)
    loaded = {row.key for row in rows if row.phase is Phase.STARTED and started[row.id]}
    how = f"{2 * len(messages):,} messages shuffled, {killed:,} functions killed, claims in moto's DynamoDB"
    return Section(
        title=f"{FILES:,} files through trigger and claim",
        figures=(
            exactly("lost", len({*keys} - loaded), wanted=0, how=how),
            exactly("claimed twice", len(rows) - FILES, wanted=0, how=how),
            exactly("started twice", started.total() - len(started), wanted=0, how=how),
            Figure(
                name="claims a second", value=f"{FILES / seconds:.0f}/s", how="of one process, with all repetitions"
            ),
        ),
    )


def _taking() -> Taking:
    client: Any = boto3.client("dynamodb", region_name="eu-west-1")
    client.create_table(
        TableName=_TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    audit = AuditTable(client=client, table=_TABLE, clock=lambda: datetime(2026, 11, 28, tzinfo=UTC))
    return Taking(audit=audit, states=Machine(), machine="arn", sns=Topic(), topic="topic", folders=FOLDERS)
