"""How long `granary list` takes for 10,000 tenants on the local cloud, as a person or a script starts it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from config.loader import load
from lambdas.common.dynamo import write_value
from lambdas.saas.model.names import SaasNames
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import Sample, interleaved
from tests.bench.release.fleet import row, status_item
from tests.bench.tenants import home

TENANTS = 10_000
SECONDS_LIMIT = 2.0
_BATCH = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_WRITERS = 4
_LISTS = {"list --json": ("list", "--json"), "list": ("list",)}

Item = Mapping[str, Any]


def measure(rounds: int) -> Section:
    """Fill the two tables of a local cloud, and list them in processes of their own."""
    account, region = home()
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder, LocalCloud.start(Path(folder)) as cloud:
        size = fill(cloud.client("dynamodb", account, region), tenants=TENANTS)
        busy: dict[str, list[float]] = {}
        run = partial(_timed, environment=cloud.env(account, region), busy=busy)
        subjects: dict[str, Callable[[], float]] = {
            "interpreter": partial(run, ["-c", "pass"]),
            "help": partial(run, ["-m", "cli", "--help"]),
        }
        subjects |= {name: partial(run, ["-m", "cli", *words], lines=TENANTS) for name, words in _LISTS.items()}
        samples = interleaved(subjects, rounds=rounds)
    notes = (
        f"Each figure: median (lowest to highest) of {rounds} interleaved rounds; each run is a process of its own "
        "whose output goes to a pipe, and the answers are checked to have every tenant.",
        f"Two tables of {TENANTS:,} items each, a status {size:,.0f} bytes of JSON on average; the local cloud's "
        f"server has the same {os.cpu_count()} processors as the command. Load of the machine at the end: "
        f"{os.getloadavg()[0]:.1f}.",
    )
    title = f"`granary list` of {TENANTS:,} tenants on the local cloud"
    return Section(title=title, figures=tuple(_figures(samples, busy)), notes=notes)


def fill(client: Any, *, tenants: int) -> float:
    """Create both tables with so many tenants; returns the average size of a status."""
    names = SaasNames(prefix=load().toolchain.prefix)
    statuses = [item for number in range(tenants) if (item := status_item(number))]
    _write_all(client, names.deployments_table, (row(number) for number in range(tenants)))
    _write_all(client, names.status_table, statuses)
    return sum(len(json.dumps(status)) for status in statuses) / len(statuses)


def _figures(samples: Mapping[str, Sample], busy: Mapping[str, list[float]]) -> Iterator[Figure]:
    for name, words in _LISTS.items():
        sample = samples[name]
        yield at_most(
            f"{name}, the whole process",
            sample.median,
            limit=SECONDS_LIMIT,
            shown=sample.show(),
            unit=" s",
            how="wall time from its start to its end, the start of Python and the imports included",
        )
        yield Figure(
            name=f"{name}, without the start",
            value=sample.less(samples["help"], per=1).show(),
            how="less `--help` of the same round",
        )
        yield Figure(
            name=f"{name}, its processor time",
            value=Sample(values=tuple(busy[" ".join(words)][1:])).show(),  # the first round fills caches
            how="what the command itself computes; the server's comes on top, and load leaves it alone",
        )
    yield Figure(
        name="--help", value=samples["help"].show(), how="python -m cli --help: what every command begins with"
    )
    yield Figure(name="Python alone", value=samples["interpreter"].show(), how="python -c pass")


def _write_all(client: Any, table: str, items: Iterable[Item]) -> None:
    client.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(partial(_write, client, table), _batches(list(items))))


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[first : first + _BATCH] for first in range(0, len(items), _BATCH))


def _write(client: Any, table: str, items: Iterable[Item]) -> None:
    puts = [{"PutRequest": {"Item": {name: write_value(value) for name, value in item.items()}}} for item in items]
    left = client.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]
    if left:
        raise RuntimeError(f"the local cloud did not write {len(left[table])} items of {table}")


def _timed(
    arguments: list[str], *, environment: Mapping[str, str], busy: dict[str, list[float]], lines: int = 0
) -> float:
    command = [sys.executable, *arguments]
    before, began = _children_seconds(), perf_counter()
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = perf_counter() - began
    busy.setdefault(" ".join(arguments[2:]), []).append(_children_seconds() - before)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    if lines and done.stdout.count("customer-") < lines:
        raise RuntimeError(f"{' '.join(arguments)} told of {done.stdout.count('customer-')} tenants only")
    return seconds


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
