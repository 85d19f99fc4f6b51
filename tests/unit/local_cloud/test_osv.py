"""The local cloud's advisories answer as osv.dev does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_cloud import osv


def ask(name: str, version: str, *, ecosystem: str = "PyPI") -> list[str]:
    query = {"package": {"name": name, "ecosystem": ecosystem}, "version": version}
    status, document = osv.answer(json.dumps(query).encode())
    assert status == 200
    return [one["id"] for one in document.get("vulns", [])]


@pytest.mark.parametrize(
    ("name", "affected", "fixed"),
    [
        ("pyyaml", "5.3.1", "5.4"),
        ("pillow", "7.1.2", "8.2.0"),
        ("pylint", "2.5.3", "2.6.1"),
        ("urllib3", "1.25.8", "1.25.9"),
    ],
)
def test_a_version_before_the_repair_is_affected(name: str, affected: str, fixed: str) -> None:
    assert len(ask(name, affected)) == 1
    assert ask(name, fixed) == []
    assert ask(name, affected, ecosystem="npm") == []


def test_names_are_the_same_however_they_are_written() -> None:
    assert ask("PyYAML", "5.3.1") == ask("pyyaml", "5.3.1")


def test_every_record_is_rated_and_says_whose_it_is() -> None:
    for one in osv.advisories():
        assert one["id"].startswith("GRANARY-")
        assert "Written for the local cloud" in one["details"]
        assert one["severity"][0]["score"].startswith("CVSS:3.1/")
        assert one["database_specific"]["severity"] in ("LOW", "MODERATE", "HIGH", "CRITICAL")


@pytest.mark.parametrize("query", ["", "[]", {}, {"package": "x", "version": "1"}, {"package": {}, "version": "1"}])
def test_what_is_no_query_is_refused(query: Any) -> None:
    assert osv.answer((query if isinstance(query, str) else json.dumps(query)).encode())[0] == 400


def test_a_version_that_is_none_is_refused() -> None:
    query = {"package": {"name": "pyyaml", "ecosystem": "PyPI"}, "version": "latest and greatest"}
    assert osv.answer(json.dumps(query).encode())[0] == 400
