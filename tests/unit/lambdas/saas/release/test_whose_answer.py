"""Whose answer it was, the function asks STS: about this ring of this run, and these very words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lambdas.saas.release import handler as release
from lambdas.saas.release.decide import APPROVED, Answer, Done

CONTEXT = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:granary-release")


def test_an_approval_is_whose_sts_says_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an answer that names somebody, then nobody reads that."""
    asked: list[object] = []
    decided: list[Done] = []

    def proven(said: object, given: object, *, function: str) -> str:
        asked.extend((said, given, function))
        return "assumed-role/approver/ada"

    def decide(_run: str, done: Done) -> dict[str, object]:
        decided.append(done)
        return {}

    monkeypatch.setattr(release, "proven_name", proven)
    monkeypatch.setattr(release, "_progress", lambda: SimpleNamespace(next=decide))
    answer = {"approved": True, "reason": "go", "by": "grace", "proof": {"signed": "so"}}
    release.handler({"op": "next", "run": "r", "action": "approve", "ring": 2, "answer": answer}, CONTEXT)
    said = {"run": "r", "ring": 2, "approved": True, "reason": "go"}
    assert asked == [said, {"signed": "so"}, CONTEXT.invoked_function_arn]
    wanted = Answer(said=APPROVED, by="assumed-role/approver/ada", comment="go")
    assert decided == [Done(action="approve", ring=2, answer=wanted)]
