"""The reports that the benchmark makes up are reports of their formats, of the size that was asked for."""

from __future__ import annotations

from io import BytesIO

import pytest

from lambdas.gates.model.reports import read_report
from tests.bench.parsers import filled
from tests.unit.lambdas.gates.reports import JSON, format_of

_SIZE = 30_000


@pytest.mark.parametrize("file", [*JSON, "zap.xml"])
def test_a_filled_report_is_one(file: str) -> None:
    data = filled(file, size=_SIZE)
    assert _SIZE <= len(data) < 2 * _SIZE
    assert len(read_report(BytesIO(data), name=format_of(file)).findings) > 0
