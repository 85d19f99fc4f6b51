"""What of a status that cannot be read is kept, so that the factory makes the rest anew; nothing is called.

The item is not simply removed: of a deployment whose row is gone, or asks for its end, and of what a move or a failed
execution has left behind, only the status knows the stacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.dynamo import read_item, write_value
from lambdas.common.versioned_json import read
from lambdas.common.written import as_written, cut
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.release_turns import UNDER_WAY, holder
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Phase, Status

Item = Mapping[str, Any]

_KNOWN = frozenset(one.name for one in fields(Status))
# Whoever held the deployment does not any more; the first try after a repair does not wait for what failed before.
_OVER = frozenset({"claimed_by", "claim_expires_at", "attempts"})
# The pipeline is out of use, and stays so: a build would be wrong.
_KEPT_PHASES = frozenset({Phase.SUSPENDED, Phase.RETIRING, *ENDED})
# Nobody finds out anew what these name.
_FOR_GOOD = frozenset({"former_stacks", "further_stacks", "archives", "warnings", "placed"})
_WHOLE = 4_000  # characters of what may have to be seen to by hand
# Whoever has the token can answer for the tenant's pipeline.
_SECRET = frozenset({"task_token"})


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A status as DynamoDB has it, what of it is kept, and of each attribute that is not the reason."""

    seen: Item
    kept: Item
    lost: Mapping[str, str]

    @property
    def id(self) -> str:
        return str(read_item({"id": self.seen["id"]})["id"])

    @property
    def status(self) -> Status:
        """What is known of the deployment all the same."""
        return read(Status, {"phase": Phase.FAILED, **read_item(self.kept)})

    def repaired(self, now: datetime) -> dict[str, Any]:
        """The item to write: what is kept, so that the next round of the sweep sees to the rest."""
        kept = {name: value for name, value in self.kept.items() if name not in _OVER}
        said: dict[str, Any] = {"updated_at": stamp(now)}
        if self.status.phase not in _KEPT_PHASES:
            reason = f"its status was repaired ({', '.join(sorted(self.lost))} could not be read): a build is due"
            said |= {"phase": Phase.FAILED.value, "retry": True, "reason": reason}
        return {**kept, **{name: write_value(value) for name, value in said.items()}}

    def lines(self) -> list[str]:
        """What would be done, for a person; what is lost is shown whole, for it may have to be seen to by hand."""
        told = [f"{name} is removed: {why}" for name, why in sorted(self.lost.items())]
        seen = read_item(self.seen)
        told += [
            f"nobody writes {name} again, see by hand to what it names: {cut(repr(seen[name]), _WHOLE)}"
            for name in sorted(_FOR_GOOD & self.lost.keys())
        ]
        kept = [name for name in sorted(self.kept) if name not in _OVER]
        return [*told, f"kept: {', '.join(kept)}", _SWEPT]

    def document(self) -> dict[str, Any]:
        """The same for --json."""
        seen = {name: as_written(value) for name, value in read_item(self.seen).items() if name not in _SECRET}
        kept = sorted(name for name in self.kept if name not in _OVER)
        return {"id": self.id, "seen": seen, "removed": dict(self.lost), "kept": kept}


_SWEPT = "then the next round of the sweep sees to the deployment: a build and a look at the pipeline write it anew"


def repair_of(seen: Item) -> Repair:
    """Sort out what of an item can be read; attributes of later versions stay as they are."""
    kept: dict[str, Any] = {}
    lost: dict[str, str] = {}
    for name, value in seen.items():
        if why := _why_not(name, value):
            lost[name] = why
            # Of a list, the entries that can be read are kept.
            good = [one for one in value.get("L", ()) if not _why_not(name, {"L": [one]})]
            if good:
                kept[name] = {"L": good}
        else:
            kept[name] = value
    if "phase" not in seen:
        lost["phase"] = "it is missing"
    return Repair(seen=seen, kept=kept, lost=lost)


def _why_not(name: str, value: Mapping[str, Any]) -> str:
    if name not in _KNOWN:
        return ""
    try:
        read(Status, {"id": "x", "phase": Phase.FAILED, **read_item({name: value})})
    except ValueError as error:
        return str(error).removeprefix(f"{name}: ")
    return ""


def maybe_builds(repair: Repair) -> set[str]:
    """The builds that may be at work on the deployment."""
    known = repair.status
    return {known.claiming_build, known.build_id if "claimed_by" in repair.lost else ""} - {""}


def why_not_now(repair: Repair, *, running: set[str], run: Run | None, now: datetime) -> str:
    """Tell who is at work on the deployment, so that it is left alone; `running` are builds, `run` is in force."""
    known = repair.status
    if running:
        return f"build {', '.join(sorted(running))} is under way: wait for it"
    if run and run.state == RunState.RUNNING:
        its = known.claimed_by == holder(run.run) or (
            known.release_run == run.run and known.release_outcome in UNDER_WAY
        )
        if its or {"claimed_by", "release_run", "release_outcome"} & repair.lost.keys():
            return f"run {run.run} of a release is under way, and may be at work on it: wait for it (`granary release`)"
    if known.claimed_at(stamp(now)) and not known.claiming_build:
        return f"{known.claimed_by} holds it until {known.claim_expires_at}: wait for it"
    return ""
