"""The benchmark of the import does what it says that it measures."""

from __future__ import annotations

import json

import pytest

from tests.bench import findings


def test_the_import_tells_what_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    findings.main(["1000"])
    told = json.loads(capsys.readouterr().out)
    assert (told["new"], told["updated"], told["refused"], told["share"]) == (500, 500, 0, 0.01)
    assert told["rate"] > 0
