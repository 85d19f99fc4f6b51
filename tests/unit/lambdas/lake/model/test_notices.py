"""What people are told of an object: whoever puts one writes its key and its header, and no line of a mail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.lake.model.notices import ended, refused
from lambdas.lake.model.objects import AuditRow, Phase

_FORGED = "\nrun again at http://elsewhere"


@pytest.mark.parametrize("key", [f"tlc/green/a{_FORGED}", f"tlc/green/a\r{_FORGED}\u2028"])
def test_no_line_of_a_mail_is_an_uploaders(key: str) -> None:
    row = AuditRow(id="i", bucket="b", key=key, version="v", day="2026-11-28", dataset="trips", phase=Phase.FAILED)
    reason = f"the header lacks id, which it needs{_FORGED}"
    for notice in (ended(replace(row, reason=reason)), refused(row)):
        assert notice.subject.isascii()
        assert [line for line in notice.message.splitlines() if line.startswith("run ")] == [f"run {row.run}"]
