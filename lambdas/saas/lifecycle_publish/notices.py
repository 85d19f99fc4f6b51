"""What people are told: one notice, written for e-mail and for chat; pure.

The chat's form is the custom notification of Amazon Q Developer in chat applications:
https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.saas.lifecycle_publish.events import text

# Within what Amazon Q takes, and what one block of a chat message shows.
_TITLE_LIMIT = 200
_QUOTE_LIMIT = 1_200
_LINE_LIMIT = 200
_THREAD_LIMIT = 64
_MESSAGE_LIMIT = 2_000

# Rows and build logs are quoted: `<!channel>` of a reason must call nobody, and a link must not hide where it leads.
_TAMED = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'", "[": "(", "]": ")", "*": "\u2217", "_": "_\u200b"})
_QUOTED = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'"})
# The target of a rule writes a text as JSON has it: a quotation mark would come with a backslash before it.
_UNQUOTED = str.maketrans({'"': "'", "\\": "/"})


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What to tell: `facts` are names and values, `quote` is text of another origin, such as a reason.

    `thread` keeps notices about one thing together in a chat, `keywords` are shown with the notice.
    """

    title: str
    facts: Mapping[str, str]
    quote: str
    link: str
    next_step: str
    thread: str
    keywords: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """The parts of an event's detail that tell people: `message` for e-mail, `notification` for chat."""
        return {"message": self._message(), "notification": self._notification()}

    def _message(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self._known())
        # What to do and where to look come last: they must not be cut off for the sake of a long reason.
        quote = text(self.quote, limit=_QUOTE_LIMIT)
        parts = [f"{self.title} ({facts})." if facts else f"{self.title}.", quote and f"Reason: {quote}."]
        parts += [f"Next step: {self.next_step}", self.link]
        line = " ".join(part for part in parts if part)
        return text(" ".join(line.split()).translate(_UNQUOTED), limit=_MESSAGE_LIMIT)

    def _notification(self) -> dict[str, Any]:
        lines = [f"*{name}*: {text(value, limit=_LINE_LIMIT).translate(_TAMED)}" for name, value in self._known()]
        if self.quote:
            lines.append(f"```\n{text(self.quote, limit=_QUOTE_LIMIT).translate(_QUOTED)}\n```")
        if self.link:
            lines.append(self.link.translate(_QUOTED))
        return {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": _line(self.title, limit=_TITLE_LIMIT),
                "description": "\n".join(lines) or _line(self.title, limit=_TITLE_LIMIT),
                "nextSteps": [_line(self.next_step)],
                "keywords": [_line(word, limit=_THREAD_LIMIT) for word in self.keywords if word],
            },
            "metadata": {"threadId": text(self.thread, limit=_THREAD_LIMIT), "summary": _line(self.title)},
        }

    def _known(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.facts.items() if value]


def _line(value: str, *, limit: int = _TITLE_LIMIT) -> str:
    return text(" ".join(value.split()), limit=limit).translate(_TAMED)
