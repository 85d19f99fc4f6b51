"""Made-up green taxi trips as New York's TLC publishes them: `python -m local_cloud.factory.lake_data --help`.

The same seed gives the same file; bad rows are spread among the good ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

HEADER = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,"
    "passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,"
    "total_amount,payment_type,trip_type,congestion_surcharge"
)
_MONTH = datetime(2021, 7, 1)
_VENDOR, _PICKUP, _PLACE, _FLAG = 0, 1, 5, 3  # fields that bad rows are bad in


def _replaced(place: int, text: bytes) -> Callable[[list[bytes]], bytes]:
    return lambda fields: b",".join((*fields[:place], text, *fields[place + 1 :]))


# How a good row is made bad, by the kind of fault.
FAULTS: Mapping[str, Callable[[list[bytes]], bytes]] = {
    "fields": lambda fields: b",".join(fields[:-3]),
    "type": _replaced(_PICKUP, b"yesterday"),
    "rule": _replaced(_PLACE, b"266"),
    "null": _replaced(_VENDOR, b""),
    "quotes": _replaced(_FLAG, b'"Y'),
    "encoding": _replaced(_FLAG, b"\xff"),
}


def trips(rows: int, *, bad: Mapping[str, int] | None = None, seed: int = 0) -> bytes:
    """A file with so many good rows, and so many bad ones of each kind of FAULTS."""
    random = Random(seed)  # noqa: S311 - nothing secret
    lines = [b",".join(_trip(random)) for _ in range(rows)]
    for fault, number in (bad or {}).items():
        for _ in range(number):
            lines.insert(random.randint(0, len(lines)), FAULTS[fault](_trip(random)))
    return b"\n".join((HEADER.encode(), *lines, b""))


def _trip(random: Random) -> list[bytes]:
    start = _MONTH + timedelta(seconds=random.randrange(31 * 24 * 3600))
    end = start + timedelta(seconds=random.randrange(60, 3600))
    card = random.random() < 0.6  # noqa: PLR2004 - most pay by card, and only they are known to tip
    cents = {"fare": random.randrange(300, 9000), "extra": random.choice((0, 50, 100)), "mta": 50, "more": 30}
    cents["tip"] = random.randrange(0, 1500) if card else 0
    cents["tolls"] = random.choice((0, 0, 0, 655))
    cents["congestion"] = random.choice((0, 275))
    money = {name: f"{amount / 100:.2f}" for name, amount in cents.items()}
    places = (random.randint(1, 263), random.randint(1, 263))
    first = (random.choice((1, 2)), start, end, random.choice("NNNY"), 1, *places, random.randint(1, 6))
    then = (f"{random.randrange(30, 2500) / 100:.2f}", money["fare"], money["extra"], money["mta"], money["tip"])
    last = (money["tolls"], "", money["more"], f"{sum(cents.values()) / 100:.2f}", 1 if card else 2, 1)
    return [str(field).encode() for field in (*first, *then, *last, money["congestion"])]


def main(given: Sequence[str] | None = None) -> None:
    """Write a file to standard output."""
    parser = argparse.ArgumentParser(prog="python -m local_cloud.factory.lake_data", description=__doc__)
    parser.add_argument("--rows", type=int, default=1000, help="good rows")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another file")
    for fault in FAULTS:
        parser.add_argument(f"--{fault}", type=int, default=0, help=f"bad rows of the kind {fault}")
    options = vars(parser.parse_args(given))
    bad = {fault: options[fault] for fault in FAULTS}
    sys.stdout.buffer.write(trips(options["rows"], bad=bad, seed=options["seed"]))


if __name__ == "__main__":
    main()
