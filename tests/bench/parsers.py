"""Whether reports of scanners are read in time that grows as they do, and in memory that does not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

from lambdas.gates.model.reports import Reading
from local_cloud.cloud import PROJECT_ROOT
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import interleaved
from tests.unit.lambdas.gates.reports import JSON, at, content, format_of, known, lists_of_records

_MB = 1024 * 1024
_SIZES = (1, 20, 200)
_RATIO = 1.5
_MEMORY = 256
_FINDINGS = 30_000
_SECONDS = 5.0
_MARK = "the-records-go-here"
_LARGE = {"trivy": "trivy.json", "zap": "zap.xml"}
_SMALL, _LESS_SMALL = 0.1, 0.8
_WORDS = b"A description that goes on for as long as those of real vulnerabilities do. " * 10
# In a process of its own: the most memory that a process ever had is all that can be asked.
_READ = """
import json, resource, sys, time
from lambdas.gates.model.reports import Reading
start = time.process_time()
with open(sys.argv[1], "rb") as stream:
    number = sum(1 for _ in Reading(stream, name=sys.argv[2]))
print(json.dumps([time.process_time() - start, number, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


def measure(rounds: int) -> Section:
    """Large reports of two formats once each, and small ones of all others in turns."""
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder:
        large = [figure for name, file in _LARGE.items() for figure in _of_large(name, file, Path(folder))]
    notes = (
        "Seconds are those of the processor; a megabyte has the records of the tests' report again and again.",
        "A report is read twice: whether it is whole, and its records.",
    )
    return Section(title="Reports of scanners", figures=(*large, *_of_all(rounds)), notes=notes)


def _of_large(name: str, file: str, folder: Path) -> list[Figure]:
    seconds: dict[int, float] = {}
    for size in _SIZES:
        path = folder / "report"
        with path.open("wb") as stream:
            fill(stream.write, file, size=size * _MB)
        command = [sys.executable, "-c", _READ, str(path), name]
        done = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True)
        seconds[size], number, memory = json.loads(done.stdout)
    least, *_, most = _SIZES
    ratio = (seconds[most] / most) / (seconds[least] / least)
    spread = ", ".join(f"{size} MB in {taken:.2f} s" for size, taken in seconds.items())
    a_gate = seconds[most] * _FINDINGS / number
    return [
        at_most(f"{name}: a megabyte of {most} over one of {least}", round(ratio, 2), limit=_RATIO, how=spread),
        at_most(f"{name}: memory for {most} MB", memory, limit=_MEMORY, how=f"{number:,} findings", unit=" MB"),
        at_most(f"{name}: {_FINDINGS:,} findings", round(a_gate, 2), limit=_SECONDS, how=f"of {most} MB", unit=" s"),
    ]


def _of_all(rounds: int) -> list[Figure]:
    files = [file for file in JSON if file != "npm_audit_6.json"]
    subjects: dict[str, Callable[[], float]] = {}
    for file in files:
        for size in (_SMALL, _LESS_SMALL):
            subjects[f"{file} {size}"] = partial(_read, filled(file, size=int(size * _MB)), format_of(file))
    samples = interleaved(subjects, rounds=min(rounds, 2))
    ratios: Mapping[str, float] = {
        file: samples[f"{file} {_LESS_SMALL}"].over(samples[f"{file} {_SMALL}"]).median * _SMALL / _LESS_SMALL
        for file in files
    }
    worst = max(ratios, key=lambda file: ratios[file])
    name = f"The {len(files)} formats in JSON: a megabyte of {_LESS_SMALL:g} over one of {_SMALL:g}"
    return [at_most(name, round(ratios[worst], 2), limit=_RATIO, how=f"the worst: {format_of(worst)}")]


def _read(data: bytes, name: str) -> float:
    start = process_time()
    for _ in Reading(BytesIO(data), name=name):
        pass
    return process_time() - start


def filled(file: str, *, size: int) -> bytes:
    """A report of that size."""
    stream = BytesIO()
    fill(stream.write, file, size=size)
    return stream.getvalue()


def fill(write: Callable[[bytes], object], file: str, *, size: int) -> None:
    """Write a report with the records of a file, again and again."""
    head, records, tail = _parts(file)
    write(head)
    written = len(head)
    number = 0
    while written < size:
        record = records[number % len(records)].replace(b"CVE-2026-000", b"CVE-2026-%07d-" % number)
        write(record)
        written += len(record)
        number += 1
    write(tail)


def _parts(file: str) -> tuple[bytes, list[bytes], bytes]:
    """What stands before the records, each of them with what stands between two, and what stands behind."""
    if file.endswith(".xml"):
        before, opening, rest = content(file).partition(b"<alertitem>")
        record, closing, behind = rest.partition(b"</alertitem>")
        return before, [opening + record.replace(b"It is not set.", _WORDS) + closing], behind
    data, path = known(file), lists_of_records(file)[0]
    entries = at(data, path)
    if keyed := isinstance(entries, dict):
        records = [f'"{key}": {json.dumps(one)}' for key, one in entries.items()]
    else:
        records = [json.dumps(one).replace('"Bad"', json.dumps(_WORDS.decode())) for one in entries]
    mark: Any = {_MARK: 0} if keyed else [_MARK]
    if path:
        at(data, path[:-1])[path[-1]] = mark
    head, _, tail = json.dumps(data if path else mark).partition(f'"{_MARK}": 0' if keyed else f'"{_MARK}"')
    return (head + records[0]).encode(), [f",{one}".encode() for one in records], tail.encode()
