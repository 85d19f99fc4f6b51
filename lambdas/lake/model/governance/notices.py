"""What people are told of plans and of runs that failed, for e-mail and for chat; pure.

The chat's form is the custom notification of Amazon Q Developer in chat applications:
https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambdas.common.written import cut, one_line
from lambdas.lake.model.governance.report import Report, headline
from lambdas.lake.model.notices import reason_of

_TITLE, _LINE, _LINES, _MESSAGE = 200, 300, 10, 4_000
# Names of tables and reasons are quoted: `<!channel>` must call nobody, and a link must not hide where it leads.
_TAMED = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'", "[": "(", "]": ")", "*": "\u2217", "_": "_\u200b"})
# Rules of EventBridge write a text as JSON has it: a quotation mark would come with a backslash before it.
_UNQUOTED = str.maketrans({'"': "'", "\\": "/"})


def notice(state: Mapping[str, Any], *, bucket: str) -> dict[str, Any]:
    """Tell of a state of the state machine: of the `error` in it, else of what was `planned`.

    Answers with the parts of an event's detail that tell people: `message` and `notification`.
    """
    title, lines = _failure(state) if "error" in state else _news(state["planned"])
    if digest := str(state.get("planned", {}).get("plan", "")):
        lines = [*lines, f"plan: s3://{bucket}/plans/{state['account']}/{state['region']}/{digest}.md"]
    return _told(f"{state['account']}, {state['region']}: {title}", lines)


def report_notice(report: Report, *, bucket: str) -> dict[str, Any]:
    """Tell of a monthly report, as `notice` does."""
    place = f"{report.catalog}/{report.region}"
    lines = [
        *headline(report),
        f"report: s3://{bucket}/plans/{place}/reports/{report.month}.md",
        f"next step: read it, then `granary lake report ENVIRONMENT --month {report.month} --sign`",
    ]
    return _told(f"{report.catalog}, {report.region}: report of {report.month}", lines)


def _told(what: str, lines: Iterable[str]) -> dict[str, Any]:
    title = cut(f"Permissions of the lake in {what}", _TITLE)
    shown = [cut(one_line(line), _LINE) for line in lines]
    return {
        "message": cut(f"{title}. {'; '.join(shown)}".translate(_UNQUOTED), _MESSAGE),
        "notification": {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": title.translate(_TAMED),
                "description": cut("\n".join(shown).translate(_TAMED), _MESSAGE),
            },
        },
    }


def _failure(state: Mapping[str, Any]) -> tuple[str, list[str]]:
    failed = state.get("applied", {}).get("failed", ())
    return "FAILED", [
        f"reason: {reason_of(state['error'])}",
        *_first(failed),
        "next step: mend it, then start the state machine again with the same input"
        if "report" in state
        else "next step: mend it; the next run, within the hour, goes on with what is left",
    ]


def _news(planned: Mapping[str, Any]) -> tuple[str, list[str]]:
    titles, lines = list[str](), list[str]()
    if approvals := planned["approvals"]:
        titles.append("a plan waits for approval")
        lines += [*_first(approvals), f"next step: read the plan, then `granary lake apply {planned['plan']}`"]
    if planned["refused"]:
        titles.append(f"{planned['refused']} refused")
        lines.append("the plan says which rules were refused, and what each of them needs")
    if unseen := planned["unseen"]:
        titles.append("not everything could be looked at, so nothing is revoked")
        lines += _first(unseen)
    return ", ".join(titles), lines


def _first(lines: Any) -> Iterator[str]:
    yield from lines[:_LINES]
    if len(lines) > _LINES:
        yield f"and {len(lines) - _LINES} more"
