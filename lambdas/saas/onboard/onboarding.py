"""Onboarding: stream records become validated, PENDING deployments, and builds that provision them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, NotReleasedError
from lambdas.common.idempotency import start_token
from lambdas.common.isolation import contained
from lambdas.common.log import about
from lambdas.common.written import cut
from lambdas.saas.model.contract import usable
from lambdas.saas.model.lifecycle import ENDED, Course, course
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.releases import Release
from lambdas.saas.model.retirable import retires
from lambdas.saas.model.status import Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.model.wishes import Refuses, wish_of
from lambdas.saas.onboard.plan import Look, looks
from lambdas.saas.store.builds import Builds
from lambdas.saas.store.lifecycle_machine import Lifecycles
from lambdas.saas.store.pins import Pins
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.tables import Deployments, Statuses
from lambdas.saas.store.waiting import Waiting

logger = logging.getLogger(__name__)

_TOLD = 1_000  # characters of an error that a dead letter has


@dataclass(frozen=True, kw_only=True)
class Onboarding:
    """Takes rows in and starts their builds; `dead_letter` keeps a record that could not be handled, with the reason.

    A row that is removed is only said to be: whether that retires, and how many at once, the sweep tells, for a stream
    brings a table that somebody empties row by row.
    """

    policy: TargetPolicy
    deployments: Deployments
    statuses: Statuses
    builds: Builds
    releases: Releases
    pins: Pins
    lifecycles: Lifecycles
    max_ids_per_build: int
    dead_letter: Callable[[Look, str], None]
    clock: Callable[[], datetime]

    def handle(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Take a batch in; return the sequence numbers from which it must be delivered again (none or one).

        A row that cannot be handled never delays another one: it goes to the dead letters, where the sweep's next round
        makes up for it.
        """
        accepted: list[tuple[Look, DeploymentRecord]] = []
        pins = self.pins.remembering()  # a batch may pin a fleet to one release
        waiting = Waiting(
            statuses=self.statuses, builds=self.builds, pins=pins, max_ids_per_build=self.max_ids_per_build
        )
        refuses = cache(pins.why_not)
        for look in looks(records):
            try:
                record = self._admit(look, waiting, refuses)
            except Exception as error:
                with about(deployment=look.id):
                    logger.exception("deployment %s could not be taken in", look.id)
                with contained(f"deployment {look.id}: the sweep alone makes up for it", deployment=look.id):
                    self.dead_letter(look, cut(f"{type(error).__name__}: {error}", _TOLD))
                continue
            if record:
                accepted.append((look, record))
        return self._start(accepted, waiting)

    def _admit(self, look: Look, waiting: Waiting, refuses: Refuses) -> DeploymentRecord | None:
        """Write down what the row asks for; the record is returned when a build has to look at it.

        The row is read anew: what a late event carries may have been corrected since.
        """
        if not look.id:
            raise GranaryError("a stream record names no deployment: its Keys hold no string `id`")
        # The row is read last: one that is put back meanwhile is not taken for removed.
        status = self.statuses.get(look.id)
        row = self.deployments.get(look.id)
        if row is None:
            self.statuses.removed(look.id, now=self.clock())
            return None
        wish = wish_of(row, status, self.policy, now=stamp(self.clock()), refuses=refuses)
        if isinstance(wish, InvalidRow):
            self._refuse(wish, status)
            return None
        if status and status.external_id != wish.external_id:
            self.statuses.called(wish, now=self.clock())
        match course(wish, status):
            case Course.LIFECYCLE:
                if status is None:
                    # Nothing is deployed, and nothing will be: the machine says so of a status.
                    self.statuses.pending(wish, reason="", now=self.clock())
                    status = self.statuses.get(wish.id)
                self.lifecycles.start(wish.id, token=_token(wish.id, status, wish.state))
            case Course.PROVISION:
                self._make_way(status)
                waiting.remember(wish, status, asked=look.touched)
                return wish if waiting.begin(wish, now=self.clock()) else None
        return None

    def _refuse(self, wish: InvalidRow, status: Status | None) -> None:
        if not retires(wish, status):
            self._make_way(status)
            self.statuses.invalid(wish.id, reason=wish.reason, now=self.clock())
        elif status and status.phase not in ENDED:
            self.lifecycles.start(wish.id, token=_token(wish.id, status, wish.state))

    def _current(self) -> Release | NotReleasedError:
        try:
            return usable(self.releases.current())
        except NotReleasedError as error:
            return error

    def _make_way(self, status: Status | None) -> None:
        """A new row for an id that was retired begins anew."""
        if status and status.phase in ENDED:
            self.statuses.bury(status.id)

    def _start(self, accepted: Sequence[tuple[Look, DeploymentRecord]], waiting: Waiting) -> list[str]:
        if not accepted:
            return []
        records = [record for _, record in accepted]
        sequences = {look.id: look.sequence for look, _ in accepted}
        try:
            # That a release is through starts a sweep, which finds the rows that wait for one.
            chosen = waiting.by_release(records, current=self._current(), now=self.clock())
            left: set[str] = set()
            for release, fitting in chosen.items():
                token = partial(_token_of_build, release, sequences)
                left |= {one.id for one in waiting.start(fitting, release=release, token=token, now=self.clock())}
            return [sequences[record.id] for record in records if record.id in left][:1]
        except Exception as error:
            # The function fails, which raises an alarm, and the stream delivers the batch again.
            reason = f"no build could be started: {type(error).__name__}: {error}"
            waiting.still(records, reason=reason, now=self.clock())
            raise


def _token_of_build(release: Release, sequences: Mapping[str, str], ids: Sequence[str]) -> str:
    return start_token(release.version_id, *(f"{key}@{sequences[key]}" for key in ids))


def _token(deployment_id: str, status: Status | None, why: str) -> str:
    """The same as long as nothing is written of the deployment: a repeated delivery starts nothing more."""
    return start_token(deployment_id, status.updated_at if status else "", why)
