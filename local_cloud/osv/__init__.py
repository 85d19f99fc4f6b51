"""A service like osv.dev with advisories of our own: they are written for tests, and say so."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

PATH = "/osv/v1/query"


@cache
def advisories() -> list[dict[str, Any]]:
    """All records, in the format of OSV: https://ossf.github.io/osv-schema/"""
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("advisories.json").read_text(encoding="utf-8"))
    return found


def answer(body: bytes) -> tuple[int, dict[str, Any]]:
    """Answer `POST /v1/query` about a version of a package: status and document."""
    try:
        query = json.loads(body)
        package, version = query["package"], Version(query["version"])
        ecosystem, name = package["ecosystem"], canonicalize_name(package["name"])
    except (ValueError, KeyError, TypeError, AttributeError, InvalidVersion) as error:
        return 400, {"code": 3, "message": f"the body is no query for a version of a package: {error!r}"}
    found = [one for one in advisories() if any(_affects(it, ecosystem, name, version) for it in one["affected"])]
    return 200, {"vulns": found} if found else {}


def _affects(affected: dict[str, Any], ecosystem: str, name: str, version: Version) -> bool:
    package = affected["package"]
    if (package["ecosystem"], canonicalize_name(package["name"])) != (ecosystem, name):
        return False
    return any(_within(range_["events"], version) for range_ in affected["ranges"])


def _within(events: list[dict[str, str]], version: Version) -> bool:
    inside = False
    for event in events:
        if "introduced" in event:
            inside = inside or version >= Version(event["introduced"])
        elif version >= Version(event["fixed"]):
            inside = False
    return inside
