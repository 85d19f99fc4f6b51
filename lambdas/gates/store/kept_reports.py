"""The reports bucket, as it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import UnreadableError
from lambdas.gates.model.kept_report import KeptReport


@dataclass(frozen=True, kw_only=True)
class KeptReports:
    """Reports of gates, by bucket and key."""

    client: Any

    def read(self, bucket: str, key: str) -> KeptReport:
        """Read one.

        Raises:
            UnreadableError: it is no report, or stands where another gate's reports do.
        """
        report = KeptReport(self.client.get_object(Bucket=bucket, Key=key)["Body"].read())
        if not report.head.belongs(key):
            raise UnreadableError(
                f"{key} is said to be of gate {report.head.gate} and target {report.head.target}: "
                f"such a report belongs to {report.head.key('RUN')}"
            )
        return report
