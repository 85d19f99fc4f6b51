"""Messages of S3 about new objects, read; pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from lambdas.common.clock import moment
from lambdas.common.errors import UnreadableError
from lambdas.common.written import shown
from lambdas.lake.model.objects import Arrival, ObjectVersion

_CREATED = ("ObjectCreated:", "s3:ObjectCreated:")


def arrivals(body: str) -> Sequence[Arrival]:
    """What a message tells of; nothing for S3's test of the queue and for events of another kind.

    Keys are URL-encoded in these messages, spaces as plus signs. A bucket without versions says none: it is refused,
    for then what is read need not be what arrived.

    Raises:
        UnreadableError: it is no message of S3's; the text says what is wrong.
    """
    try:
        told = json.loads(body)
        if isinstance(told, dict) and told.get("Event") == "s3:TestEvent":
            return ()
        return tuple(_arrival(one) for one in told["Records"] if str(one["eventName"]).startswith(_CREATED))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UnreadableError(f"this is no message of S3 about new objects: {error}: {shown(body)}") from error


def _arrival(record: Mapping[str, Any]) -> Arrival:
    thing = record["s3"]["object"]
    key, version = unquote_plus(thing["key"], errors="strict"), thing.get("versionId") or ""
    if not version or version == "null":
        raise ValueError(f"{key} has no version: switch on the bucket's versioning")
    found = ObjectVersion(bucket=str(record["s3"]["bucket"]["name"]), key=key, version=str(version))
    _ = found.id  # fails for halves of characters, which no other part of this can
    return Arrival(
        object=found,
        day=moment(record["eventTime"]).date().isoformat(),
        size=int(thing.get("size") or 0),
    )
