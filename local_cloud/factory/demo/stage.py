"""What every act of the demo uses: the console, timed steps, and the operator's commands as a person types them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from local_cloud.cloud import LocalCloudError
from local_cloud.factory.granary import TOOLCHAIN, Granary

DEADLINE_SECONDS = 600.0


@dataclass(kw_only=True)
class Stage:
    """Where the demo plays; `problems` is what is not as it should be."""

    console: Console
    began: float = field(default_factory=time.monotonic)
    problems: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Seconds since the curtain rose."""
        return time.monotonic() - self.began

    def act(self, title: str) -> None:
        """Begin an act."""
        self.console.print()
        self.console.rule(f"[bold]{escape(title)}", align="left")

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time a step, and say that it is done."""
        began = time.monotonic()
        with self.console.status(escape(what)):
            yield
        taken = time.monotonic() - began
        self.console.print(f"{self.seconds:6.1f} s  [green]done[/] in {taken:.1f} s: {escape(what)}")

    def granary(self, granary: Granary, *words: str, wanted: int = 0, account: str = TOOLCHAIN) -> None:
        """Type a command of the operator's, as an account, and have the person see what it answers.

        Raises:
            LocalCloudError: its exit code is not the wanted one.
        """
        self.console.print(f"{self.seconds:6.1f} s  [bold]$ granary {' '.join(words)}[/]")
        code = granary.cli(*words, shown=True, account=account).returncode
        if code != wanted:
            raise LocalCloudError(f"granary {' '.join(words)} ended with {code}, not {wanted}")

    def expect(self, *, holds: bool, otherwise: str) -> None:
        """Note a problem unless something holds."""
        if not holds:
            self.problems.append(otherwise)
