"""Security Hub: what it has, and what it is given.

It answers 10 imports and 3 readings a second in an account, whoever asks, so that it refuses calls whenever several
reports arrive at once. Then the client makes them again, and in the end whatever has started the function does:
https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.gates.model.asff import Asff, Hub

logger = logging.getLogger(__name__)

_PAUSES = (1.0, 3.0, 9.0, 27.0)
_NOT_ENABLED = ("InvalidAccessException", "ResourceNotFoundException")
_FOR_GOOD = ("Invalid", "AccessDenied")  # what codes of single findings begin with that no other try will change
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class SecurityHub:
    """Security Hub of the account and Region of `hub`."""

    client: Any
    hub: Hub
    pause: Callable[[float], None] = time.sleep

    def findings(self, ids: str) -> Iterator[Asff]:
        """All findings of ours whose id begins so, archived ones too."""
        filters = {
            "ProductArn": [{"Value": self.hub.product, "Comparison": "EQUALS"}],
            "Id": [{"Value": ids, "Comparison": "PREFIX"}],
        }
        pages = self.client.get_paginator("get_findings").paginate(
            Filters=filters, PaginationConfig={"PageSize": _PAGE}
        )
        with self._enabled():
            for page in pages:
                yield from page["Findings"]

    def put(self, batch: Sequence[Asff]) -> dict[str, str]:
        """Import a batch; answer with the findings that were not taken by their ids, each with the reason.

        What may pass is tried again, those findings alone.
        """
        left = {str(one["Id"]): one for one in batch}
        refused: dict[str, str] = {}
        pauses = iter(_PAUSES)
        while left:
            failed = self._put_once(list(left.values()))
            pause = next(pauses, None)
            for name, (code, words) in failed.items():
                if pause is None or code.startswith(_FOR_GOOD) or name not in left:
                    refused[name] = words
            left = {name: left[name] for name in failed.keys() - refused.keys()}
            if left and pause is not None:
                logger.warning("Security Hub did not take %d findings yet: %s", len(left), failed[next(iter(left))][1])
                self.pause(pause)
        return refused

    def _put_once(self, findings: list[Asff]) -> dict[str, tuple[str, str]]:
        with self._enabled():
            answer = self.client.batch_import_findings(Findings=findings)
        failed = {str(one["Id"]): _words(one) for one in answer.get("FailedFindings", ())}
        if answer["FailedCount"] > len(failed):
            raise CapacityError(f"Security Hub did not take {answer['FailedCount']} findings and names {len(failed)}")
        return failed

    @contextmanager
    def _enabled(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if code_of(error) not in _NOT_ENABLED:
                raise
            raise GranaryError(
                f"Security Hub of account {self.hub.account} in {self.hub.region} is not to be had ({error}): "
                "enable Security Hub CSPM there (`aws securityhub enable-security-hub`)"
            ) from error


def _words(one: Mapping[str, Any]) -> tuple[str, str]:
    return str(one["ErrorCode"]), f"{one['ErrorCode']}: {one['ErrorMessage']}"
