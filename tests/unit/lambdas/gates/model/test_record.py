"""What is made of the values of a record."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.record import severity_of, severity_of_score
from tests.unit.lambdas.gates.reports import dump, known, parse


def test_words_of_severity() -> None:
    assert severity_of("Very-High") is severity_of("EXTREME") is Severity.CRITICAL
    assert severity_of("moderate") is Severity.MEDIUM
    assert severity_of("") is severity_of("UNTRIAGED") is severity_of("whatever") is Severity.UNKNOWN
    scores = ["9.1", "7.0", "4", "0.1", "0", "11", "-1", "none", "nan"]
    assert [severity_of_score(one).value[0] for one in scores] == [*"CHMLI", *"UUUU"]


def test_only_addresses_of_the_web_are_links() -> None:
    data = known("cfn_lint.json")
    data[0]["Rule"]["Source"] = "javascript:alert(1)"
    data[1]["Rule"]["Source"] = "See https://example.com/a for more"
    assert [one.url for one in parse(dump(data), "cfn-lint").findings] == ["", "https://example.com/a"]


@pytest.mark.parametrize("number", [-2, 10**15, 1.5, "x", "1e999999999", True])
def test_a_line_is_a_whole_number_or_an_error(number: Any) -> None:
    data = known("cfn_lint.json")
    data[0]["Location"]["Start"]["LineNumber"] = number
    report = parse(dump(data), "cfn-lint")
    assert (len(report.findings), len(report.errors)) == (1, 1)
