"""A stand-in for the command of Snyk: it answers by the advisories beside it, and asks no service. It scans nothing.

It reads the file and the records of installed packages as Snyk's resolver does, so that what it is given counts; HOME
has how it is to behave (`mode`), and is told what it was asked (`asked.jsonl`).
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any


def main(verb: str, words: list[str]) -> int:
    """Answer."""
    if verb == "--version":
        print("1.1307.4 (standalone)")
        return 0
    home, installed = Path(os.environ["HOME"]), os.environ["PYTHONPATH"]
    told = {"words": [verb, *words], "token": os.environ.get("SNYK_TOKEN"), "names": sorted(os.environ)}
    with (home / "asked.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(f"{json.dumps(told)}\n")
    planted = "/other/" in installed
    mode = "" if planted else (home / "mode").read_text(encoding="utf-8")
    if mode in {"silent", "nothing"} or (verb, mode) == ("monitor", "no monitor"):
        return {"silent": 0, "nothing": 3, "no monitor": 2}[mode]
    if mode == "down":
        return _failed(f"token {os.environ['SNYK_TOKEN']} is unknown")
    file = next(word for word in words if word.startswith("--file=")).partition("=")[2]
    wanted = dict(line.split("==") for line in Path(file).read_text(encoding="utf-8").split())
    there = {one.metadata["Name"]: one.version for one in distributions(path=[installed])}
    if missing := [name for name, version in wanted.items() if there.get(name) != version]:
        return _failed(f"Required packages missing: {', '.join(missing)}")
    return _answer(wanted, file, seen={"blind": 0, "partly": len(wanted) - 1}.get(mode, len(wanted)))


def _failed(error: str) -> int:
    print(json.dumps({"ok": False, "error": error, "path": "."}))
    return 2


def _answer(wanted: dict[str, str], file: str, *, seen: int) -> int:
    known = json.loads((Path(os.environ["HOME"]) / "advisories.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = [
        {
            "id": f"SNYK-PYTHON-{name.upper()}-1",
            "title": "Known",
            "severity": "high",
            "packageName": name,
            "version": version,
            "from": ["app@0", f"{name}@{version}"],
            "fixedIn": [known[name][1]],
        }
        for name, version in wanted.items()
        if name in known and known[name][0] == version
    ]
    facts = {"packageManager": "pip", "displayTargetFile": file, "projectName": "app", "path": "."}
    print(json.dumps({"vulnerabilities": found, "ok": not found, "dependencyCount": seen, **facts}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
