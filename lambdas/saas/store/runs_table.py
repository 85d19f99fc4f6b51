"""The releases table: releases, runs and their rings (`runs` says which items there are)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import plain
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import CURRENT, Ring, RingState, Run, RunState, nameable, release_id, ring_id, run_id
from lambdas.saas.store.release_parameter import REPAIR

T = TypeVar("T")
# A release comes into force over one that was published before it, a resumed run over the one that it goes on with.
# Of an item that names a run, a time or a revision that somebody has spoilt bars nobody, or no release would ever come
# into force again; no release is of tomorrow, for the machine refuses such a one.
_MAY_TAKE_OVER = (
    "attribute_not_exists( #id ) OR #run = :mine OR #published_at < :published "
    "OR ( attribute_type( #run , :text ) AND NOT #published_at <= :tomorrow )"
)
_MAY_RESUME = "#run = :mine OR ( #run = :resumes AND ( #revision = :of OR NOT attribute_type( #revision , :text ) ) )"


class Runs(Protocol):
    """Port to the releases table. Every write is safe to repeat; those with a condition answer whether it held."""

    def release(self, revision: str) -> Release | None: ...
    def current(self) -> str: ...
    def found_same(self, run: str) -> str: ...
    def run(self, run: str) -> Run | None: ...
    def ring(self, run: str, index: int) -> Ring | None: ...
    def rings(self, run: Run) -> list[Ring]: ...
    def keep(self, release: Release, **facts: str) -> Release: ...
    def take_over(self, run: str, *, release: Release, resumes: str, now: datetime, same_as: str = "") -> bool: ...
    def planned(self, ring: Ring) -> None: ...
    def begun(self, run: Run) -> None: ...
    def end(self, run: str, *, state: RunState, reason: str, now: datetime) -> bool: ...
    def turn(self, ring: Ring, *, to: RingState, now: datetime, **facts: Any) -> bool: ...
    def asked(self, ring: Ring, *, token: str, now: datetime) -> bool: ...
    def vanished(self, ring: Ring, deployment_id: str, *, now: datetime) -> None: ...


@dataclass(frozen=True, kw_only=True)
class RunsTable:
    """The releases table in DynamoDB."""

    client: Any
    name: str

    def release(self, revision: str) -> Release | None:
        """Read a release that a run was about."""
        return self._read(release_id(revision), kept_release)

    def current(self) -> str:
        """Name the run that is in force; empty before the first one."""
        return self._read(CURRENT, _run_in_force) or ""

    def found_same(self, run: str) -> str:
        """The run that this one, which is in force, was found to be the same as when it came into force; or empty."""
        return self._read(CURRENT, lambda item: _found_same(item, run)) or ""

    def run(self, run: str) -> Run | None:
        return self._read(run_id(run), Run.from_item)

    def ring(self, run: str, index: int) -> Ring | None:
        return self._read(ring_id(run, index), Ring.from_item)

    def rings(self, run: Run) -> list[Ring]:
        """Read all rings of a run, in order; raises UnreadableError when one is gone, for it was not passed."""
        keys = [ring_id(run.run, index) for index in range(run.rings)]
        items = {item["id"]: item for item in dynamo.get_many(self.client, table=self.name, keys=keys)}
        if gone := [key for key in keys if key not in items]:
            raise UnreadableError(
                f"item {gone[0]} of the releases table was deleted: once run {run.run} has stopped, `granary resume` "
                "plans its rings anew"
            )
        return [_made(key, items[key], Ring.from_item) for key in keys]

    def keep(self, release: Release, **facts: str) -> Release:
        """Keep a release with what is known of it, so that a deployment can go back to it; it is never changed.

        Answers the one that is kept under its revision, be it this one or another.
        """
        key = release_id(release.revision)
        sets = {"release": release.to_json(), "published_at": release.published_at, **facts}
        dynamo.update(self.client, table=self.name, key=key, sets=sets, condition="attribute_not_exists( #id )")
        return self.release(release.revision) or release

    def take_over(self, run: str, *, release: Release, resumes: str, now: datetime, same_as: str = "") -> bool:
        """Bring a run into force; False when a later release is in force, or another run was resumed.

        `same_as` is kept with the run's name: what an older version leaves of it says nothing of another run.
        """
        values = {"published": release.published_at, "tomorrow": stamp(now + timedelta(days=1))}
        if resumes:
            values = {"resumes": resumes, "of": release.revision}
        return dynamo.update(
            self.client,
            table=self.name,
            key=CURRENT,
            sets={
                "run": run,
                "revision": release.revision,
                "published_at": release.published_at,
                "updated_at": stamp(now),
                **({"same_as": {run: same_as}} if same_as else {}),
            },
            condition=_MAY_RESUME if resumes else _MAY_TAKE_OVER,
            values={"mine": run, "text": "S", **values},
        )

    def planned(self, ring: Ring) -> None:
        """Write a ring as it was planned."""
        dynamo.put(self.client, table=self.name, item={"id": ring.id, **plain(ring)})

    def begun(self, run: Run) -> None:
        """Write a run as it begins."""
        dynamo.put(self.client, table=self.name, item={"id": run.id, **plain(run)})

    def end(self, run: str, *, state: RunState, reason: str, now: datetime) -> bool:
        """Say how a run ended; False when it had ended already, or never began."""
        return dynamo.update(
            self.client,
            table=self.name,
            key=run_id(run),
            sets={
                "state": str(state),
                "reason": reason,
                "ended_at": stamp(now),
                "updated_at": stamp(now),
            },
            condition="#state = :running",
            values={"running": str(RunState.RUNNING)},
        )

    def turn(self, ring: Ring, *, to: RingState, now: datetime, **facts: Any) -> bool:
        """Let a ring go on from the state that it was read in; False when it is in another one."""
        return dynamo.update(
            self.client,
            table=self.name,
            key=ring.id,
            sets={"state": str(to), "updated_at": stamp(now), **facts},
            condition="#state = :before",
            values={"before": str(ring.state)},
        )

    def asked(self, ring: Ring, *, token: str, now: datetime) -> bool:
        """Keep the token that an approval is to be sent to."""
        return dynamo.update(
            self.client,
            table=self.name,
            key=ring.id,
            sets={"approval_token": token, "updated_at": stamp(now)},
            condition="#state = :approval",
            values={"approval": str(RingState.APPROVAL)},
        )

    def vanished(self, ring: Ring, deployment_id: str, *, now: datetime) -> None:
        """Count a deployment of a ring of which nothing is known any more."""
        sets = {"updated_at": stamp(now)}
        dynamo.update(self.client, table=self.name, key=ring.id, sets=sets, unions={"vanished": {deployment_id}})

    def _read(self, key: str, make: Callable[[Mapping[str, Any]], T]) -> T | None:
        item = dynamo.get(self.client, table=self.name, key=key)
        return _made(key, item, make) if item else None


def kept_release(item: Mapping[str, Any]) -> Release:
    """Read the item of a release; raises ValueError for anything else."""
    if not isinstance(text := item.get("release"), str):
        raise ValueError("release is no str")  # noqa: TRY004 - as everything else that is wrong with an item
    return Release.from_json(text)


def _run_in_force(item: Mapping[str, Any]) -> str:
    if not isinstance(run := item.get("run"), str):
        raise ValueError("run is no str")  # noqa: TRY004 - as everything else that is wrong with an item
    nameable(run)
    return run


def _found_same(item: Mapping[str, Any], run: str) -> str:
    """Whatever else stands there claims nothing: then the release goes to everybody."""
    found = item.get("same_as")
    named = found.get(run) if isinstance(found, Mapping) else None
    return named if isinstance(named, str) else ""


def _made(key: str, item: Mapping[str, Any], make: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return make(item)
    except ValueError as error:
        then = f"run {REPAIR}" if key == CURRENT else "publish a newer release"
        raise UnreadableError(
            f"item {key} of the releases table cannot be read ({error}): if the toolchain was rolled back, update it "
            f"again; otherwise {then}"
        ) from error
