"""What the import of 100,000 findings into Security Hub takes: requests, time, and memory of a fresh process.

`python -m tests.bench.findings NUMBER` is that process: it imports once, into a Security Hub that only counts, and
prints what it took as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from time import process_time
from typing import Any

from lambdas.common.evidence.finding import Finding, Package, Place, Severity
from lambdas.common.evidence.kept_report import Head, KeptReport, Unread, packed
from lambdas.gates.model.asff import Asff, Hub, batches
from lambdas.gates.model.hub_plan import Plan
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import Sample, fresh, peak_megabytes

FINDINGS = 100_000
SHARE_LIMIT = 1 / 50  # of the requests of one by one
RATE_LIMIT = 20_000
MEGABYTES_LIMIT = 256.0
HUB = Hub(account="111111111111", region="eu-west-1", factory="granary")
HEAD = Head(gate="code", target="source", created="2026-11-28T10:00:00+00:00", findings=FINDINGS, complete=True)


def measure(rounds: int) -> Section:
    """Import in processes of their own."""
    taken = [fresh("tests.bench.findings", str(FINDINGS)) for _ in range(rounds)]
    rate, share, memory, before, whole = (
        Sample(values=tuple(one[name] for one in taken)) for name in ("rate", "share", "peak", "before", "whole")
    )
    how = f"{rounds} fresh processes, {FINDINGS:,} findings of which Security Hub has half"
    figures = (
        at_most("Requests, of those of one by one", share.median, limit=SHARE_LIMIT, shown=share.show("", 3), how=how),
        Figure(
            name="Findings to ASFF",
            value=rate.show("/s", 0),
            target=f">= {RATE_LIMIT:,}/s",
            met=rate.median >= RATE_LIMIT,
            how="planned, written, checked and in batches; seconds of the processor, without the report's reading",
        ),
        at_most(
            "Peak memory of the process",
            max(memory.values),
            limit=MEGABYTES_LIMIT,
            shown=memory.show(" MB", 0),
            unit=" MB",
            how=f"resident, highest of the rounds counts; {before.median:.0f} MB before, with the packed report",
        ),
        Figure(name="The same, with the report read", value=whole.show(), how="read twice, and once for what is there"),
    )
    return Section(title=f"Import of {FINDINGS:,} findings into Security Hub", figures=figures)


def main(arguments: Sequence[str]) -> None:
    """Import once and print what it took: findings a second, requests of those of one by one, megabytes."""
    number = int(arguments[0])
    report = KeptReport(packed(replace(HEAD, findings=number), _findings(number)))
    before = peak_megabytes()
    began = process_time()
    plan, seconds, requests = Plan(HUB, report.head), 0.0, 0
    for part in _parts(report):
        seconds += _timed(partial(plan.name, part))[0]
    assert not list(plan.look(_had(report)))
    for part in _parts(report):
        took, sent = _timed(partial(_batches, plan, part))
        seconds, requests = seconds + took, requests + len(sent)
    told = {"rate": number / seconds, "share": requests / number, "whole": process_time() - began}
    print(json.dumps({**told, **plan.counts(()), "before": before, "peak": peak_megabytes()}))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = process_time()
    done = work()
    return process_time() - began, done


def _batches(plan: Plan, part: list[Finding | Unread]) -> list[list[Asff]]:
    refused: dict[str, str] = {}
    made = list(batches(plan.sent(part), refused.__setitem__))
    assert not refused
    return made


def _parts(report: KeptReport) -> Iterator[list[Finding | Unread]]:
    """A thousand findings at a time, so that reading them is not timed, and not all are held."""
    lines = iter(report)
    while part := list(islice(lines, 1_000)):
        yield part


def _had(report: KeptReport) -> Iterator[dict[str, str]]:
    """What Security Hub has: every second finding of the report, of the day before."""
    yesterday = "2026-11-27T10:00:00.000Z"
    for one in islice(report, 0, None, 2):
        assert isinstance(one, Finding)
        name = f"{HUB.ids(HEAD)}{one.fingerprint}"
        yield {"Id": name, "CreatedAt": yesterday, "UpdatedAt": yesterday, "RecordState": "ACTIVE"}


def _findings(number: int) -> Iterator[Finding]:
    severities = list(Severity)
    for index in range(number):
        vulnerable = index % 3 == 0
        yield Finding(
            tool="pip-audit" if vulnerable else "bandit",
            rule=f"CVE-2026-{index}" if vulnerable else f"B{index % 300}",
            title="A function is called that runs a shell with what it is given",
            severity=severities[index % len(severities)],
            description="What comes from outside can end the command that is meant and begin another one. " * 3,
            resource="" if vulnerable else f"module{index % 500}.function",
            place=Place(path=f"src/package/module{index % 500}.py", line=index % 2_000 + 1),
            package=Package(name=f"package-{index}", installed="1.2.3", fixed="1.2.4") if vulnerable else None,
            remediation="Give the program and its arguments as a list, without a shell",
            url=f"https://example.org/rules/{index % 300}",
            content=f"{index % 65_536:04x}",
            repeat=index // 65_536,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
