"""Splitting a policy into managed policies, none of which is too long; pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters, white space not counted;
10 managed policies a role, 20 when asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambdas.common.errors import GranaryError

LIMIT = 6_144
ROLE_LIMIT = 10
_VERSION = "2012-10-17"
Statement = Mapping[str, Any]


def size_of(document: Mapping[str, Any]) -> int:
    """Its characters as IAM counts them; no word of a policy of ours has white space in it."""
    return len(json.dumps(document, separators=(",", ":")))


def parts(statements: Sequence[Statement], *, limit: int = LIMIT) -> list[dict[str, Any]]:
    """Documents with the statements in their order, as many in each as fit.

    Raises:
        GranaryError: one action on one resource does not fit, or there are more documents than a role may have.
    """
    room = limit - size_of(_document(()))
    made: list[list[Statement]] = [[]]
    for statement in (small for one in statements for small in _small(one, room)):
        if made[-1] and size_of(_document([*made[-1], statement])) > limit:
            made.append([])
        made[-1].append(statement)
    if len(made) > ROLE_LIMIT:
        raise GranaryError(
            f"the execution policy needs {len(made)} managed policies, and a role has at most {ROLE_LIMIT}: let the "
            "component have fewer types of resources, or longer patterns of names in fewer statements"
        )
    return [_document(one) for one in made]


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}


def _small(statement: Statement, room: int) -> Iterator[Statement]:
    """The statement, halved until each of them has room."""
    if size_of(statement) <= room:
        yield statement
        return
    for key in ("Action", "Resource"):
        found = statement[key]
        if isinstance(found, list) and len(found) > 1:
            half = len(found) // 2
            for number, some in enumerate((found[:half], found[half:])):
                sid = {"Sid": f"{statement['Sid']}{'ab'[number]}"} if "Sid" in statement else {}
                yield from _small({**statement, **sid, key: some}, room)
            return
    raise GranaryError(f"a statement of the execution policy is too long: {json.dumps(statement)[:200]}")
