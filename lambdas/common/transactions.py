"""Writes to several items of DynamoDB that hold together or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of

# Other transactions with one of the items refuse this one for as long as they take, some milliseconds. botocore does
# not retry what was cancelled: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_ATTEMPTS = 12
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


def transact(
    client: Any, writes: Sequence[Mapping[str, Any]], *, pause: Callable[[float], None] = time.sleep
) -> list[bool] | None:
    """Do all writes of a transaction, each `{"Update": ...}`, `{"Put": ...}` or `{"ConditionCheck": ...}`.

    None when they are done; else nothing was written, and each entry says whether that write's condition held.

    Raises:
        ClientError: the items were being written by others all the time, or another fault.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            client.transact_write_items(TransactItems=list(writes))
        except ClientError as error:
            codes = _codes(error)
            if "ConditionalCheckFailed" in codes:
                return [code != "ConditionalCheckFailed" for code in codes]
            if "TransactionConflict" not in codes or attempt == _ATTEMPTS:
                raise
            longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
            pause(random.uniform(0, longest))  # noqa: S311 - spreads writers, no secret
        else:
            return None
    raise AssertionError("unreachable")


def _codes(error: ClientError) -> list[str]:
    if code_of(error) != "TransactionCanceledException":
        return []
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return [str(reason.get("Code", "None")) for reason in reasons]
