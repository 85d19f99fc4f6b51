"""A file's header, its records, and how many they are."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from lambdas.lake.model.datasets import Column, CsvFormat, Dataset
from lambdas.lake.spark.records import Summary, copied_name, records, summary, unpacked

DATASET = Dataset(
    name="things", prefix="shop/things/", table="things", columns=(Column(name="id", heading="ID"), Column(name="note"))
)
MULTI = replace(DATASET, format=CsvFormat(multi_line=True))
IGNORING = replace(DATASET, format=CsvFormat(ignore_extra_columns=True))
BARE = replace(DATASET, format=CsvFormat(header=False))


def told(content: bytes, dataset: Dataset = DATASET) -> Summary:
    return summary(io.BytesIO(content), dataset)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"id,note\n", 0),
        (b"id,note", 0),
        (b"id,note\n1,a", 1),
        (b"id,note\r\n1,a\r\n\r\n2,b\r3,c\n\n", 3),
        (b"id,note\n   \n\x00\n\xff\n", 3),
        (b'id,note\n1,"a\nb"\n', 2),
        (b"\xef\xbb\xbfid,note\n1,a\n", 1),
    ],
)
def test_each_line_that_is_not_empty_is_a_record(content: bytes, read: int) -> None:
    assert told(content) == Summary(read=read, width=2, places=(0, 1))


def test_without_a_header_every_line_is_one() -> None:
    assert told(b"\xef\xbb\xbf1,a\n2,b\n", BARE) == Summary(read=2, width=2, places=(0, 1))


def test_columns_are_found_by_their_titles() -> None:
    assert told(b'"NOTE ",x,Id\n', IGNORING) == Summary(read=0, width=3, places=(2, 0))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "begins with no header"),
        (b"\nid,note\n", "begins with no header"),
        (b"id\n", "the header lacks note: correct the file, or change the schema of the dataset things"),
        (b"id,note,more,and\n", "the header has and, more, which no column is"),
        (b"id,note,ID\n", "the header names id more than once"),
        (b"id,n\xffote\n", r"no UTF-8 \(invalid start byte\): save the file as UTF-8"),
        (b"PK\x03\x04\x00\n", "the header lacks id, note"),
        (b"x" * 200_000 + b"\n", "the header lacks id, note"),
        # Whoever puts a file may not keep a job busy for hours.
        (b",".join(b"c%d" % one for one in range(1_000_000)), "the header has 1000000 columns, and a file has 20000"),
    ],
)
def test_a_header_that_does_not_fit_says_what_to_do(content: bytes, text: str) -> None:
    with pytest.raises(GranaryError, match=text):
        told(content)


FIELD = st.text(st.sampled_from('ab",;\n\r\u00e9 '), max_size=6)
ROWS = st.lists(st.lists(FIELD, min_size=2, max_size=3).filter(any), max_size=6)


@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_records_over_several_lines_are_split_where_a_writer_has_ended_them(rows: list[list[str]], end: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["id", "note"], *rows])
    content = text.getvalue().encode()
    found = list(records(io.BytesIO(content), MULTI.format))
    assert told(content, MULTI).read == len(found) == len(rows)
    for (_, record), row in zip(found, rows, strict=True):
        assert next(csv.reader(io.StringIO(record.decode(), newline=""))) == row
    assert content.endswith(end.join([*(record.decode() for _, record in found), ""]).encode())


def test_a_record_has_the_number_of_its_first_line_and_its_own_bytes() -> None:
    content = b'\xef\xbb\xbfid,note\r\n1,"x\r\n\n\ry"\r\n\r\n2,\xff\r3,"unclosed\n4,5\n'
    assert list(records(io.BytesIO(content), MULTI.format)) == [
        (2, b'1,"x\r\n\n\ry"'),
        (7, b"2,\xff"),
        (8, b'3,"unclosed\n4,5'),
    ]


def test_a_field_may_be_long() -> None:
    content = b"id,note\n1," + b"x" * 200_000 + b"\n"
    assert told(content, MULTI).read == 1


def test_a_packed_file_is_known_by_its_key() -> None:
    assert (copied_name("a/b.csv.gz"), copied_name("a/b.gz.txt")) == ("object.csv.gz", "object.csv")
    assert unpacked(io.BytesIO(gzip.compress(b"id")), "x.gz").read() == unpacked(io.BytesIO(b"id"), "x").read()
