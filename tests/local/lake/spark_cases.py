"""What Spark itself has to do, case by case, in one session: `python -m tests.local.lake.spark_cases FOLDER FILES`.
Without FILES (the example's definitions, as JSON), an attempt is killed there.

It runs in Spark's environment, which has neither pytest nor the project; `test_spark_jobs` starts it. It writes what
has become of each case to standard output, as JSON.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lambdas.lake.model.datasets import DEFINITION, Column, CsvFormat, Dataset, ProductTable, value_of
from local_cloud.factory.lake_data import FAULTS, trips
from tests.local.lake.spark_bench import DATASET, HEADER, Bench, spark

ROOT = Path(__file__).parents[3]


def case_each_value_is_taken_as_it_is_written_or_quarantined(bench: Bench) -> None:
    good = [b"1,1.5,2024-01-31 10:00:00,x", b"2,-0.10,0001-01-01T00:00:00Z,", b'3,,,"a ""b"", c"', b"4,7.100,,"]
    bad = {
        b"-1,1,,": ["id: min 0"],
        b"1.5,1,,": ["id: type int"],
        b"2147483648,1,,": ["id: type int"],
        b" 1,1,,": ["id: type int"],
        b"1,1.005,,": ["amount: type decimal(6,2)"],
        b"1,12345.00,,": ["amount: type decimal(6,2)"],
        b"1,,2024-02-30 10:00:00,": ["at: type timestamp"],
        b"1,,2024,": ["at: type timestamp"],
        b",x,,0123456789abc": ["id: not null", "amount: type decimal(6,2)", "note: max_length 12"],
        b"1,2,,a,b": ["fields: not 4"],
        b"1,2": ["fields: not 4"],
        b"   ": ["fields: not 4"],
        b"," * 25_000: ["fields: not 4"],
        b'1,,,"open': ["quotes: one is not closed"],
        b"ID,amount,at,note": ["id: type int", "amount: type decimal(6,2)", "at: type timestamp"],
    }
    landed = bench.run(HEADER + b"\n".join([*good, b"", *bad, b""]))
    assert landed.counts == (19, 4, 15), landed.counts
    assert landed.good == [
        ("1", "1.50", "2024-01-31 10:00:00", "x"),
        ("2", "-0.10", "0001-01-01 00:00:00", None),
        ("3", None, None, 'a "b", c'),
        ("4", "7.10", None, None),
    ], landed.good
    wanted = [(line, row.decode(), rules) for line, (row, rules) in enumerate(bad.items(), len(good) + 3)]
    assert landed.bad == wanted, landed.bad


TEXTS = {
    "int": ("0", "-2147483648", "2147483648", "1.0", "+7", "1e3", "0x1", "1_000", "\u0661"),
    "bigint": ("9223372036854775807", "9223372036854775808", "-", "1L"),
    "double": ("-.5e-3", "1.", "1d", "NaN", "Infinity", "1e308", "1e309", "1,5", "."),
    "decimal(6,2)": ("-1234.56", "9999.990", "10000", "000001.5", ".5", "5.", "1.005", "1e2", "+", ".", " 1"),
    "boolean": ("true", "F", "yes", "0", "on", "2"),
    "date": ("2024-02-29", "2023-02-29", "0001-01-01", "2024-1-1", "2024", "2024-01-01T", "2024-13-01"),
    "timestamp": (
        "2024-02-29 23:59:59.123456",
        "2024-02-29T00:00:00Z",
        "2024-02-29 00:00:00+01:00",
        "2024-02-29",
        "2024-02-29 24:00:00",
        "2024-02-29 00:00",
        "2023-02-29 00:00:00",
        "2024-02-29 00:00:00.1234567",
    ),
}


def case_spark_takes_the_texts_that_the_model_takes(bench: Bench) -> None:
    """Rules are checked by the model when they are configured, and by Spark when files come."""
    columns = tuple(Column(name=f"v{number}", type=kind) for number, kind in enumerate(TEXTS))
    given = [(place, kind, text) for place, (kind, texts) in enumerate(TEXTS.items()) for text in texts]
    rows = [";" * place + text + ";" * (len(TEXTS) - 1 - place) for place, _, text in given]
    told = CsvFormat(header=False, delimiter=";")
    landed = bench.run("\n".join(rows).encode(), replace(DATASET, columns=columns, format=told))
    refused = {line: rules for line, _, rules in landed.bad}
    for line, (place, kind, text) in enumerate(given, 1):
        try:
            value_of(kind, text)
        except ValueError:
            assert refused.get(line) == [f"v{place}: type {kind}"], (kind, text, refused.get(line))
        else:
            assert line not in refused, (kind, text)
    assert all(any(row) for row in landed.good), "no value has become null"


def case_bytes_that_are_no_utf_8_are_kept(bench: Bench) -> None:
    row = "5,,,caf\u00e9".encode("latin-1")
    landed = bench.run(b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + row + b"\r6,,,caf\xc3\xa9\xef\xbf\xbd\r\n")
    assert landed.good == [("6", None, None, "caf\u00e9\ufffd")], landed.good
    assert landed.bad == [(2, row.hex().upper(), ["encoding: no UTF-8, kept as hexadecimal digits"])], landed.bad


def case_a_file_that_several_workers_read_has_its_lines_numbered(bench: Bench) -> None:
    lines = [b"%d,,,x" % number if number % 50 else b"?%d,,,x" % number for number in range(1, 1001)]
    spark().conf.set("spark.sql.files.maxPartitionBytes", "2000")
    landed = bench.run(HEADER + b"\n" + b"\n".join(lines))
    spark().conf.unset("spark.sql.files.maxPartitionBytes")
    assert len(list(Path(landed.conformed.location).glob("*.parquet"))) > 2, "it was one part"
    assert landed.counts == (1000, 980, 20)
    assert [(line, row) for line, row, _ in landed.bad] == [(n + 2, f"?{n},,,x") for n in range(50, 1001, 50)]


def case_quoted_fields_may_hold_line_breaks(bench: Bench) -> None:
    dataset = replace(DATASET, format=CsvFormat(multi_line=True))
    content = b'1,,,"a\r\nb\n\nc"\n\n\xff,,,"\nx"\r2,,,"d"\n3,,,"open\n4,,,e\n'
    landed = bench.run(gzip.compress(HEADER + content), dataset, name="a.csv.gz")
    assert landed.counts == (4, 2, 2)
    assert [row[3] for row in landed.good] == ["a\r\nb\n\nc", "d"], landed.good
    assert [(line, rules) for line, _, rules in landed.bad] == [
        (7, ["encoding: no UTF-8, kept as hexadecimal digits"]),
        (10, ["quotes: one is not closed"]),
    ], landed.bad
    assert landed.bad[1][1] == '3,,,"open\n4,,,e'


def case_columns_are_found_by_the_header_whatever_their_order(bench: Bench) -> None:
    told = CsvFormat(ignore_extra_columns=True, delimiter=";", null_text="NULL")
    landed = bench.run(b'NOTE; more ;id;At;amount\nx;y;1;NULL;2\n"";;2;;NULL\n', replace(DATASET, format=told))
    assert landed.good == [("1", "2.00", None, "x"), ("2", None, None, "")], landed.good


def case_without_a_header_columns_are_in_order_and_equal_rows_are_all_kept(bench: Bench) -> None:
    landed = bench.run(b"1,,,x\n1,,,x\n", replace(DATASET, format=CsvFormat(header=False)))
    assert landed.good == [("1", None, None, "x")] * 2


def case_a_file_without_rows_is_committed_and_empty(bench: Bench) -> None:
    assert bench.run(HEADER).counts == (0, 0, 0)


def case_a_header_that_does_not_fit_fails_the_file(bench: Bench) -> None:
    bench.fails("the header lacks at: correct the file, or change the schema", b"ID,amount,note\n1,2,3\n")
    assert bench.left == []


def case_a_lost_row_commits_nothing(bench: Bench) -> None:
    from lambdas.lake.spark import job

    write = job.write
    job.write = lambda frame, folder: write(frame.where("id <> 2") if "id" in frame.columns else frame, folder)
    try:
        bench.fails("has 3 records, but 2 good and 0 quarantined", HEADER + b"1,,,\n2,,,\n3,,,\n")
    finally:
        job.write = write
    assert bench.left == []


KILLED = "a_killed_attempt_leaves_nothing_that_is_seen"
ROWS = HEADER + b"1,,,x\n?,,,y\n"


def kill() -> None:
    """In a process of its own: an attempt that is killed when all of its rows are written, and none is committed."""
    from lambdas.lake.spark.laptop import FolderLake

    FolderLake.put_columns = lambda *_given, **_named: os._exit(9)  # type: ignore[method-assign]
    Bench(folder=Path(sys.argv[1]) / KILLED).run(ROWS)


def case_a_killed_attempt_leaves_nothing_that_is_seen(bench: Bench) -> None:
    def files() -> list[Path]:
        return list((bench.folder / "lake" / "conformed").rglob("*.parquet"))

    killed = files()
    assert killed, "it had written its rows"
    assert not (bench.folder / "lake" / "catalog.json").exists()
    landed = bench.run(ROWS)
    assert (landed.counts, len(landed.good), len(landed.bad)) == ((2, 1, 1), 1, 1)
    assert not {Path(landed.conformed.location), Path(landed.conformed.parameters["granary_quarantine"])} & {
        path.parent for path in killed
    }


def case_what_is_done_is_not_done_again(bench: Bench) -> None:
    one = bench.run(HEADER + b"1,,,x\n")
    assert bench.run(HEADER + b"1,,,x\n").conformed == one.conformed
    other = bench.run(HEADER + b"1,,,x\n", name="b.csv")
    assert other.conformed.location != one.conformed.location, "another object of the same day is kept, too"


PRODUCTS = replace(DATASET, products=(ProductTable(name="sums"), ProductTable(name="all")))
QUERIES = {
    "sums": "SELECT note, count(*) AS n, sum(amount) AS amount FROM things GROUP BY note",
    "all": "SELECT * FROM things",
}


def case_a_query_sees_the_rows_of_one_object(bench: Bench) -> None:
    bench.run(HEADER + b"1,1,,x\n", PRODUCTS, **QUERIES)
    landed = bench.run(HEADER + b"2,2.5,,x\n3,1,,x\n?,1,,x\n", PRODUCTS, name="b.csv", **QUERIES)
    assert landed.product("sums") == [("x", "2", "3.50")]
    assert [row[0] for row in landed.product("all")] == ["2", "3"]
    assert landed.products["sums"].columns == (("note", "string"), ("n", "bigint"), ("amount", "decimal(16,2)"))
    assert landed.products["sums"].parameters["granary_read"] == "2"


def case_a_query_that_does_not_fit_commits_nothing(bench: Bench) -> None:
    wanted = (Column(name="n", type="int"),)
    for columns, query, told in (
        (wanted, "SELECT count(*) AS n FROM things", "make them the same"),
        ((), "SELECT 1 AS n, NULL AS nothing", "sums.sql: nothing: give each"),
        ((), "SELECT 1 AS year", "sums.sql: year: give each"),
        ((), "SELECT count(*) FROM things", "sums.sql: count(1): give each"),
        ((), "SELECT CAST(note AS INT) AS n FROM things", "CAST_INVALID_INPUT"),
    ):
        dataset = replace(DATASET, products=(ProductTable(name="sums", columns=columns),))
        bench.fails(told, HEADER + b"1,1,,x\n", dataset, sums=query)
    assert not list((bench.folder / "lake").glob("purpose-built/**/*.parquet"))


def case_the_rows_that_were_committed_are_all_read(bench: Bench) -> None:
    landed = bench.run(HEADER + b"1,1,,x\n2,1,,x\n")
    for path in Path(landed.conformed.location).glob("*.parquet"):
        path.unlink()
    bench.fails("has 0 rows, not the 2 that were committed", HEADER + b"1,1,,x\n2,1,,x\n", PRODUCTS, **QUERIES)


def case_the_example_takes_trips_and_quarantines_each_kind_of_fault(bench: Bench) -> None:
    definitions = json.loads(sys.argv[2])
    dataset = Dataset.from_json(definitions.pop(DEFINITION))
    queries = {name.removesuffix(".sql"): text for name, text in definitions.items()}
    landed = bench.run(trips(300, bad=dict.fromkeys(FAULTS, 2), seed=1), dataset, **queries)
    assert landed.counts == (300 + 2 * len(FAULTS), 300, 2 * len(FAULTS))
    assert {rules[0] for _, _, rules in landed.bad} == {
        "fields: not 20",
        "pickup_at: type timestamp",
        "pickup_location_id: max 265",
        "vendor_id: not null",
        "quotes: one is not closed",
        "encoding: no UTF-8, kept as hexadecimal digits",
    }
    assert sum(int(row[5]) for row in landed.product("trips_by_payment")) == 300


CASES: dict[str, Callable[[Bench], None]] = {
    name.removeprefix("case_"): case for name, case in list(globals().items()) if name.startswith("case_")
}


def main() -> None:
    """Run all cases; one that passes has an empty text."""
    told: dict[str, str] = {}
    for name, case in CASES.items():
        try:
            case(Bench(folder=Path(sys.argv[1]) / name))
            told[name] = ""
        except Exception:
            told[name] = traceback.format_exc()
    print(json.dumps(told))


if __name__ == "__main__":
    main() if sys.argv[2:] else kill()
