"""What commands write is obeyed by no terminal, wherever it comes from."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.table import Table
from rich.text import Text

from cli.common.output import Output, _Console

NASTY = "\x1b[31mred\x1b]0;title\x07 \x9b1m \u202etxt\u2066 \x7f\x00"
OBEYED = "\x1b\x07\x9b\u202e\u2066\x7f\x00"


def output() -> tuple[Output, StringIO, StringIO]:
    files = StringIO(), StringIO()
    consoles = [_Console(file=file, force_terminal=True, highlight=False, width=200) for file in files]
    return Output(stdout=consoles[0], stderr=consoles[1]), *files


def harmless(text: str) -> bool:
    """Whether only the colours are left that are ours."""
    ours = text.replace("\x1b[1m", "").replace("\x1b[31m", "").replace("\x1b[0m", "")
    return not any(letter in ours for letter in OBEYED) and "]0;title" in ours


def test_what_is_said_and_answered_is_harmless() -> None:
    told, out, err = output()
    told.say(NASTY)
    told.answer({}, said=NASTY)
    assert harmless(out.getvalue())
    assert harmless(err.getvalue())
    assert "\\x1b[31mred" in out.getvalue()


def test_a_table_is_harmless_and_keeps_its_own_colours() -> None:
    told, out, _err = output()
    table = Table(box=None, header_style="bold")
    table.add_column(Text(NASTY))
    table.add_row(Text(NASTY, style="red"))
    told.show(table)
    assert harmless(out.getvalue())
    assert "\x1b[31m\\x1b[31mred" in out.getvalue()


def test_each_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output().lines([f"{NASTY}\nrow 7 is valid", "second"])
    first, second = capsys.readouterr().out.splitlines()
    assert harmless(first)
    assert first.endswith("\\nrow 7 is valid")
    assert second == "second"


@pytest.mark.parametrize("document", [[{"id": NASTY}], {"id": NASTY}])
def test_a_json_document_is_harmless_and_the_same(document: object, capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).data(document)
    text = capsys.readouterr().out
    assert not any(letter in text for letter in OBEYED)
    assert json.loads(text) == document
