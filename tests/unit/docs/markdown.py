"""The commands in a Markdown page, with what the page says about running them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_NOT_EXECUTED = "not executed here: "
_REPEATED = "repeated until: "


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block; the comment right above it says why it is not executed, or what its output says in the end."""

    line: int
    language: str
    text: str
    mark: str

    @property
    def reason_not_to_execute(self) -> str:
        return self.mark.removeprefix(_NOT_EXECUTED) if self.mark.startswith(_NOT_EXECUTED) else ""

    @property
    def repeated_until(self) -> str:
        return self.mark.removeprefix(_REPEATED) if self.mark.startswith(_REPEATED) else ""

    @property
    def has_known_mark(self) -> bool:
        return not self.mark or bool(self.reason_not_to_execute or self.repeated_until)


def blocks(page: Path, language: str = "") -> Iterator[Block]:
    """Every fenced block of a page, or those of a language."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        if not language or match["language"] == language:
            yield Block(
                line=text.count("\n", 0, match.start("text")),
                language=match["language"],
                text=match["text"],
                mark=match["mark"] or "",
            )


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    folders = ("docs", "local_cloud")
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).rglob("*.md"))])
