"""A reader of the output that goes before it is all written, as `head` does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[4]
_READER_GONE = 141

pytestmark = pytest.mark.slow


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Rows whose errors are more than a pipe holds."""
    file = tmp_path / "many.json"
    file.write_text(json.dumps([{"id": f"Bad {number}"} for number in range(2_000)]))
    return file


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "JSON"])
def test_a_reader_that_goes_in_between_ends_the_command_without_a_word(
    configuration: Path, many: Path, options: list[str]
) -> None:
    with _granary(configuration, many, *options, stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline(), "it has begun to write"
        command.stdout.close()
        said = command.stderr.read()
    assert (command.returncode, said) == (_READER_GONE, b"")


def test_a_few_lines_that_nobody_reads_are_no_fault(configuration: Path, tmp_path: Path) -> None:
    """Given output that fits into the buffer, the interpreter does not complain either when it flushes at its end."""
    file = tmp_path / "one.json"
    file.write_text('{"id": "Bad"}')
    with _granary(configuration, file, stdout=_unread()) as command:
        assert command.stderr is not None
        said = command.stderr.read()
    assert (command.returncode, said) == (_READER_GONE, b"1 rows: 1 with errors\n")


def test_what_rich_draws_ends_the_same_way(configuration: Path, tmp_path: Path) -> None:
    """Given that the messages' reader has gone, so that rich meets the broken pipe."""
    file = tmp_path / "one.json"
    file.write_text('{"id": "Bad"}')
    with _granary(configuration, file, stdout=subprocess.DEVNULL, stderr=_unread()) as command:
        pass
    assert command.returncode == _READER_GONE


def _unread() -> int:
    """The end of a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def _granary(
    configuration: Path, file: Path, *options: str, stdout: int, stderr: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "cli", "--config", str(configuration), "validate", str(file), *options]
    # Without a buffer, Python loses what a pipe does not take at once, and meets no broken one.
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = subprocess.Popen(words, cwd=_ROOT, stdout=stdout, stderr=stderr, env=environment)
    for given in (stdout, stderr):
        if given > 0:
            os.close(given)
    return command
