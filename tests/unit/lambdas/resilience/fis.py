"""FIS as AWS describes it, in memory: tokens that make a repeated call one, tags, states that go on by themselves.

What happens next is chosen by the test: `on_call` is asked before and after every call that changes something, and may
raise, as a network does that breaks before a request arrives or after it was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

LIVE = frozenset({"pending", "initiating", "running", "stopping"})


def refused(code: str, operation: str, *, status: int = 400, message: str = "no") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )


@dataclass
class Fis:
    """One account's and Region's experiments; `room` is how many may run at a time."""

    room: int = 5
    on_call: Callable[[str], None] = lambda _: None
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def live(self) -> list[dict[str, Any]]:
        return [one for one in self.experiments.values() if one["state"]["status"] in LIVE]

    def create_experiment_template(self, *, clientToken: str, **given: Any) -> dict[str, Any]:
        self.on_call("create before")
        if (known := self._tokens.get(("template", clientToken))) is None:
            known = self._tokens["template", clientToken] = f"EXT{len(self._tokens)}"
            self.templates[known] = {"id": known, **given}
        self.on_call("create after")
        return {"experimentTemplate": {"id": known}}

    def delete_experiment_template(self, *, id: str) -> None:
        self.on_call("delete before")
        if self.templates.pop(id, None) is None:
            # Tags decide who may, and what is gone has none.
            raise refused("AccessDeniedException", "DeleteExperimentTemplate")
        self.on_call("delete after")

    def start_experiment(
        self,
        *,
        clientToken: str,
        experimentTemplateId: str,
        experimentOptions: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> dict[str, Any]:
        self.on_call("start before")
        known = self._tokens.get(("experiment", clientToken))
        if known is None:
            if experimentTemplateId not in self.templates:
                raise refused("ResourceNotFoundException", "StartExperiment")
            if len(self.live()) >= self.room:
                raise refused("ServiceQuotaExceededException", "StartExperiment")
            known = self._tokens["experiment", clientToken] = f"EXP{len(self._tokens)}"
            self.experiments[known] = {
                "id": known,
                "state": {"status": "initiating", "reason": ""},
                "tags": dict(tags),
                "mode": experimentOptions["actionsMode"],
            }
        self.on_call("start after")
        return {"experiment": {"id": known}}

    def get_experiment(self, *, id: str) -> dict[str, Any]:
        if id not in self.experiments:
            raise refused("ResourceNotFoundException", "GetExperiment")
        return {"experiment": self.experiments[id]}

    def stop_experiment(self, *, id: str) -> None:
        self.on_call("stop before")
        state = self.experiments[id]["state"]
        if state["status"] not in LIVE:
            raise refused("ValidationException", "StopExperiment")
        state |= {"status": "stopped", "reason": "stopped by a person"}
        self.on_call("stop after")

    def get_paginator(self, operation: str) -> Any:
        pages = {
            "list_experiment_templates": {"experimentTemplates": list(self.templates.values())},
            "list_experiments": {"experiments": list(self.experiments.values())},
            "list_experiment_resolved_targets": {"resolvedTargets": self.targets},
        }
        return _Pages(pages[operation])


@dataclass(frozen=True)
class _Pages:
    page: dict[str, Any]

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for key, entries in self.page.items():
            for entry in entries or ():
                yield {key: [entry]}
