"""The monthly reports and their signatures, beside the plans: each is written once, and nothing of them is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import Text
from lambdas.lake.model.governance.report import Report, Signature, report_page

T = TypeVar("T", bound=Text)
_REPORT, _SIGNED = ".json", ".signed.json"


@dataclass(frozen=True, kw_only=True)
class Reports:
    """The reports of an account and Region (`place`)."""

    s3: Any
    bucket: str
    place: str

    def key(self, month: str, end: str) -> str:
        """Key of what belongs to the report of a month."""
        return f"plans/{self.place}/reports/{month}{end}"

    def read(self, month: str) -> Report | None:
        """The report of a month, if it was made."""
        return self._read(self.key(month, _REPORT), Report)

    def signature(self, month: str) -> Signature | None:
        """Who has signed the report of a month, if somebody has."""
        return self._read(self.key(month, _SIGNED), Signature)

    def keep(self, report: Report) -> None:
        """Keep a report, and its page."""
        self._put(self.key(report.month, _REPORT), report.to_json())
        self._put(self.key(report.month, ".md"), report_page(report))

    def sign(self, month: str, signature: Signature) -> None:
        """Keep a signature.

        Raises:
            GranaryError: the report is signed already.
        """
        if not self._put(self.key(month, _SIGNED), signature.to_json()):
            there = self.signature(month)
            by = f" by {there.by} at {there.at}" if there else ""
            raise GranaryError(f"the report of {month} is signed already{by}: a report is signed once")

    def months(self) -> list[tuple[str, bool]]:
        """The months that have a report, in order, and whether it is signed."""
        begin = self.key("", "")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=begin)
        names = {one["Key"].removeprefix(begin) for page in pages for one in page.get("Contents", ())}
        made = sorted(name.removesuffix(_REPORT) for name in names if name.endswith(_REPORT) and name.count(".") == 1)
        return [(month, f"{month}{_SIGNED}" in names) for month in made]

    def _read(self, key: str, kind: type[T]) -> T | None:
        with ignoring(*NO_OBJECT):
            text = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            return kind.from_json(text.decode())
        return None

    def _put(self, key: str, text: str) -> bool:
        with ignoring("PreconditionFailed"):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), IfNoneMatch="*")
            return True
        return False
