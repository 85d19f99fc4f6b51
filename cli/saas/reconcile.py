"""What the sweep would do about each deployment, and why; pure: the decision is the sweep's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from cli.saas.advice import Wish
from lambdas.common.isolation import fault
from lambdas.common.written import cut
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.status import Status, Unreadable
from lambdas.saas.sweep.decide import Action, Round, decide


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What would be done about one deployment."""

    id: str
    action: str
    why: str

    def document(self) -> dict[str, str]:
        return asdict(self)

    def line(self) -> str:
        return f"{cut(self.id)}: {self.action} ({self.why})"


def intents(
    wishes: Mapping[str, DeploymentRecord | InvalidRow], statuses: Mapping[str, Status], *, seen: Round
) -> tuple[list[Intent], dict[str, Unreadable]]:
    """Everything that would be done, by id, and at whom the program fails; what would be left alone is left out."""
    found: list[Intent] = []
    failed: dict[str, Unreadable] = {}
    for name in sorted({*wishes, *statuses}):
        wish, status = wishes.get(name), statuses.get(name)
        try:
            action = decide(wish, status, seen)
            if action is not Action.NOTHING:
                found.append(Intent(id=name, action=_words(action, seen), why=_why(wish, status)))
        except Exception as error:
            failed[name] = Unreadable(id=name, why=fault(error), fault=True)
    return found, failed


def _words(action: Action, seen: Round) -> str:
    if action is Action.START:
        return "start a provisioning build" if seen.revision else "wait for a release"
    return str(action)


def _why(wish: Wish, status: Status | None) -> str:
    if wish is None:
        return "its row is gone"
    if isinstance(wish, InvalidRow):
        return wish.reason
    if status is None:
        return "nothing is known of it yet"
    changed = "" if status.applied_digest == wish.digest() else f", its row is not what is applied{_said(wish, status)}"
    pinned = f", pins {wish.revision}" if wish.revision else ""
    return f"it is {status.phase}, its row asks for {wish.state}{pinned}{changed}"


def _said(wish: DeploymentRecord, status: Status) -> str:
    """What the row says to its component, where that is not what is applied."""
    before, after = status.applied_parameters, dict(wish.parameters)
    told = (
        [] if status.applied_tier == wish.tier else [f"tier {_or_none(status.applied_tier)} -> {_or_none(wish.tier)}"]
    )
    told += [
        f"parameter {name} {_or_none(before.get(name))} -> {_or_none(after.get(name))}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    return f": {', '.join(told)}" if told else ""


def _or_none(value: str | None) -> str:
    return cut(value) if value else "none"
