"""Which archive is meant: its name, and how a status tells of it; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.common.clock import moment, stamp
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, StackRef, Status

# The strictest of the services: a cluster snapshot, whose name has no two hyphens in a row and none at its end.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html
NAME_LIMIT = 63
# How long an archive may stand for what it was taken of, when a deletion fails and is tried again: a new one at each
# try would use up the quota of snapshots, and one of last week lacks what was written since.
FRESH = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The archive of something stateful that is due at the moment `now`, for one end of one deployment.

    That end is a retirement, known by when its grace period is over, or the clear-up after a move, known by the build
    that moved the deployment. What an earlier one has archived does not count: there was another life in between.
    `started` (a stamp) is when the machine began.
    """

    ref: StackRef
    stateful: Stateful
    status: Status
    started: str
    now: datetime

    @property
    def mark(self) -> str:
        """What tells this archive from any other of the deployment: the same for every machine and try of its day."""
        end, day = self._end_and_day()
        place = (self.ref.account, self.ref.region)
        whose = (self.status.placed_type, self.status.id)
        what = "/".join((end, *whose, *place, self.stateful.kind, self.stateful.name))
        return f"{day:%Y%m%d}-{hashlib.sha256(what.encode()).hexdigest()[:8]}"

    def _end_and_day(self) -> tuple[str, datetime]:
        """The end that the archive is for, and the day of it; of a clear-up, the day on which the machine began."""
        if self.status.phase is Phase.RETIRING:
            end = moment(self.status.retire_after)
            day = end + max(0, (self.now - end) // FRESH) * FRESH
            return stamp(day), day
        day = moment(self.started)
        return f"{self.status.build_id}/{day:%Y%m%d}", day

    def name(self, prefix: str) -> str:
        """Name for the services, cut to what all of them take; it begins with the factory's `prefix`."""
        tail = f"-{self.mark}"
        whose = f"{prefix}-{self.status.placed_type}-{self.status.id}"
        return f"{whose[: NAME_LIMIT - len(tail)].rstrip('-')}{tail}"

    def entry(self, text: str) -> str:
        """How the status tells of it, when it is there."""
        kind, name = self.stateful.kind, self.stateful.name
        return f"{kind}:{name} of account {self.ref.account}, {self.ref.region}, {self.mark}: {text}"

    @property
    def taken(self) -> bool:
        """Whether it is there already."""
        return any(entry.startswith(self.entry("")) for entry in self.status.archives)
