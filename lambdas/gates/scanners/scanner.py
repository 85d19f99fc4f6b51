"""What a scanner is to a gate: something that makes a report of files, and that sees what is planted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lambdas.common.errors import GranaryError
from lambdas.common.written import cut, one_line
from lambdas.gates.model.events import ReportError
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.reports import read_report
from lambdas.gates.scanners.environments import Environments

_SECONDS = 600
_TOLD = 300

Options = Mapping[str, object]


class Trouble(GranaryError):
    """A scan that cannot be judged by, and the word for it."""

    def __init__(self, word: Word, text: str) -> None:
        super().__init__(f"{word.value}: {text}")
        self.word, self.text = word, text


class Scanner(Protocol):
    """A scanner of `lambdas/gates/scanners`, each file one, in `SCANNER`."""

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Scan the files below `target`; `work` is an empty folder for what the scanner writes.

        Raises:
            Trouble: it did not come to a report.
        """
        ...

    def plant(self, folder: Path) -> None:
        """Write something into a folder that the scanner must find."""
        ...


def several(options: Options, name: str) -> list[str]:
    """What an option names, whether that is one or a list."""
    given = options.get(name) or ()
    return [str(one) for one in given] if isinstance(given, (list, tuple)) else [str(given)]


def named(target: Path, options: Options, option: str, *, otherwise: Iterable[Path]) -> list[Path]:
    """What an option names below the target, or else what is there.

    Raises:
        Trouble: something that is named is not there: a tool would pass over it without a word.
    """
    if not (names := several(options, option)):
        return list(otherwise)
    if missing := [name for name in names if not (target / name).exists()]:
        raise Trouble(Word.INCOMPLETE, f"there is no {missing[0]}, which the option `{option}` names")
    return [target / name for name in names]


@dataclass(frozen=True, kw_only=True)
class CommandScanner:
    """A scanner that is a command of an environment of its own (`<name>.txt` is its lock).

    `words` makes the command's words of what is scanned (`find`), the file to write and the options. With one of
    `codes` it says that it has written a report; any other is an error, whatever it has written. `sift` looks at what
    came of it, beside what was scanned, the report and the options. One that `reads_history` does so with the option.
    """

    name: str
    words: Callable[[Sequence[Path], Path, Options], Sequence[str]]
    plant: Callable[[Path], None]
    codes: frozenset[int] = frozenset({0, 1})
    find: Callable[[Path, Options], Sequence[Path]] = lambda target, _: [target]
    version: Sequence[str] = ("--version",)
    program: str = ""
    report: str = "report.json"
    reads_history: bool = False
    sift: Callable[[Scanned, Sequence[Path], Path, Options], Scanned] = lambda scanned, *_: scanned
    variables: Callable[[Path], Mapping[str, str]] = field(default=lambda _: {})

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Run the command, and read its report."""
        found = self.find(target, options)
        if not found:
            raise Trouble(Word.NOTHING, f"there is nothing for it below {target.name or target}")
        place = environments.of(self.name)
        program = str(place / "bin" / (self.program or self.name.replace("_", "-")))
        environment = environments.variables(place) | dict(self.variables(environments.cache))
        version = self._version(place, [program, *self.version], cwd=work, environment=environment)
        report = work / self.report
        # By their places in the target: what a report says is the same wherever that is.
        files = [path.relative_to(target) for path in found]
        ran = run([program, *self.words(files, report, options)], cwd=target, environment=environment)
        if ran.returncode not in self.codes:
            raise Trouble(Word.DID_NOT_RUN, f"it ended with {ran.returncode}: {said_by(ran)}")
        scanned = read(report, name=self.name, version=version, said=said_by(ran))
        return self.sift(scanned, found, report, options)

    def _version(self, place: Path, words: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> str:
        """What the tool tells once: its environment never changes, and asking some takes as long as a scan."""
        kept = place / ".version"
        if kept.exists() and (version := kept.read_text(encoding="utf-8")):
            return version
        version = version_of(words, cwd=cwd, environment=environment)
        kept.write_text(version, encoding="utf-8")
        return version


def version_of(words: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> str:
    """The version that a tool tells: the last word with a digit on the first line.

    Raises:
        Trouble: it tells none.
    """
    told = run(words, cwd=cwd, environment=environment)
    line = next(iter(told.stdout.strip().splitlines()), "")
    version = next((word for word in reversed(line.split()) if any(letter.isdigit() for letter in word)), "")
    if told.returncode or not version:
        raise Trouble(Word.NO_VERSION, said_by(told))
    return version


def read(report: Path, *, name: str, version: str, said: str = "") -> Scanned:
    """What a report says, whose tool has a version.

    Raises:
        Trouble: it cannot be read.
    """
    if not report.exists() or not report.stat().st_size:
        raise Trouble(Word.UNREADABLE, f"it has written none: {said}")
    try:
        with report.open("rb") as stream:
            known = read_report(stream, name=name.replace("_", "-"))
    except ReportError as error:
        raise Trouble(Word.UNREADABLE, str(error)) from error
    troubles = [(Word.INCOMPLETE, cut(error, _TOLD)) for error in known.errors[:5]]
    if known.scanned == 0:
        troubles.append((Word.NOTHING, "its report says so"))
    told = version or known.version
    return Scanned(findings=known.findings, tool_version=told, data_of=known.data_of, troubles=troubles)


def run(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], seconds: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, which gets no more of our environment than is given.

    Raises:
        Trouble: it cannot be started, or does not end.
    """
    limit = seconds or _SECONDS
    try:
        return subprocess.run(  # noqa: S603 - words of ours
            words,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Trouble(Word.DID_NOT_RUN, f"it did not end within {limit:g} s") from error
    except OSError as error:
        raise Trouble(Word.DID_NOT_RUN, str(error)) from error


def said_by(ran: subprocess.CompletedProcess[str]) -> str:
    """The end of what a command said."""
    return one_line(ran.stderr.strip() or ran.stdout.strip() or "it said nothing")[-_TOLD:]
