"""What the plan of a release of 10,000 deployments takes: time, and memory of a fresh process.

`python -m tests.bench.planner NUMBER POLICY` is that process: it plans once and prints what it took as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from time import perf_counter

from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.rings import ReleasePolicy, plan
from lambdas.saas.model.status import Status, sort_out
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import Sample, fresh, peak_megabytes
from tests.bench.release.fleet import NEW, POLICY, row, status_item

DEPLOYMENTS = 10_000
SECONDS_LIMIT = 1.0
MEGABYTES_LIMIT = 200.0


def measure(rounds: int) -> Section:
    """Plan in processes of their own."""
    policy = _configured_policy()
    taken = [fresh("tests.bench.planner", str(DEPLOYMENTS), policy) for _ in range(rounds)]
    seconds, read, memory, before = (
        Sample(values=tuple(one[name] for one in taken)) for name in ("plan", "read", "peak", "imported")
    )
    total = Sample(values=tuple(one["plan"] + one["read"] for one in taken))
    how = f"{rounds} fresh processes, {DEPLOYMENTS:,} rows of which {int(taken[0]['planned']):,} are planned"
    figures = (
        at_most("Plan", seconds.median, limit=SECONDS_LIMIT, shown=seconds.show(digits=3), unit=" s", how=how),
        at_most(
            "Plan, with the reading of items into records and statuses",
            total.median,
            limit=SECONDS_LIMIT,
            shown=total.show(digits=3),
            unit=" s",
            how=f"as the function does it after its scans; reading alone {read.show(digits=3)}",
        ),
        at_most(
            "Peak memory of the process",
            max(memory.values),
            limit=MEGABYTES_LIMIT,
            shown=memory.show(unit=" MB", digits=0),
            unit=" MB",
            how=f"resident, highest of the rounds counts; {before.median:.0f} MB after the imports; the items included",
        ),
        Figure(
            name="Deployments left out", value=f"{int(taken[0]['skipped']):,}", how="suspended, invalid or new ones"
        ),
    )
    return Section(title=f"Plan of a release of {DEPLOYMENTS:,} deployments", figures=figures)


def main(arguments: Sequence[str]) -> None:
    """Plan once and print what it took: seconds, and megabytes."""
    number, policy = int(arguments[0]), ReleasePolicy.from_json(arguments[1])
    imported = peak_megabytes()
    rows = [row(index, mixed=True) for index in range(number)]
    items = [item for index in range(number) if (item := status_item(index, mixed=True))]
    began = perf_counter()
    wishes = [parse_row(one, POLICY) for one in rows]
    records = [wish for wish in wishes if isinstance(wish, DeploymentRecord)]
    invalid = [wish for wish in wishes if isinstance(wish, InvalidRow)]
    statuses, _ = sort_out(map(Status.from_item, items))
    read = perf_counter()
    planned = plan(policy, revision=NEW, records=records, invalid=invalid, statuses=statuses)
    done = perf_counter()
    told = {"read": read - began, "plan": done - read, "imported": imported, "peak": peak_megabytes()}
    print(json.dumps({**told, "planned": planned.total, "skipped": len(planned.skipped)}))


def _configured_policy() -> str:
    # Imported here: the process that is measured has no configuration, as the function has none.
    from config.loader import load
    from config.policy import release_policy

    return release_policy(load()).to_json()


if __name__ == "__main__":
    main(sys.argv[1:])
