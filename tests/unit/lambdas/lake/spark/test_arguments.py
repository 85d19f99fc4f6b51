"""The command line of the jobs."""

from __future__ import annotations

import pytest

from lambdas.common.errors import GranaryError
from lambdas.lake.spark.arguments import parse

GIVEN = {
    "bucket": "raw",
    "key": "--odd key/a=1 +.csv",
    "version": "v1",
    "object_id": "0" * 32,
    "day": "2026-01-09",
    "run": "run-1",
    "dataset": "things",
    "definitions": "s3://scripts/datasets/things/",
    "zone": "conformed",
    "temporary": "s3://temporary/x",
    "database": "db",
    "code": "abc",
}
SECOND = {"source": "conformed", "conformed_database": "db"}


def line(given: dict[str, str]) -> list[str]:
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def test_all_is_read_and_glues_own_arguments_are_left_alone() -> None:
    glue = ["--JOB_NAME", "x", "--TempDir", "s3://t/", "--enable-metrics", "true", "--conf", "a=b", "--class", "c"]
    told = parse([*glue, *line(GIVEN), "--JOB_RUN_ID", "jr_1"])
    assert (told.key, told.code, told.source) == ("--odd key/a=1 +.csv", "abc", "")
    assert told.values == ("2026", "01", "09", "0" * 32)


def test_the_second_job_is_told_what_it_reads() -> None:
    assert parse(line({**GIVEN, **SECOND}), second=True).source == "conformed"
    with pytest.raises(GranaryError, match="--source is missing; --conformed_database is missing"):
        parse(line(GIVEN), second=True)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    given = {**GIVEN, "day": "9.1.2026", "databse": "db", "run": ""}
    del given["database"]
    wanted = "--run is missing; --database is missing; --databse is unknown; --day is to be YYYY-MM-DD, not 9.1.2026"
    with pytest.raises(GranaryError, match=wanted):
        parse(line(given))


def test_a_name_without_a_value_is_missing() -> None:
    with pytest.raises(GranaryError, match="--code is missing"):
        parse([*line({name: value for name, value in GIVEN.items() if name != "code"}), "--code"])
