"""Which releases are the same for tenants: a tenant that has one of them is at all of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from lambdas.common.errors import UnreadableError
from lambdas.saas.model.lineage import KnowsRuns, lineage
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Status

logger = logging.getLogger(__name__)


class KnowsReleases(KnowsRuns, Protocol):
    """What is needed of the port to the releases table."""

    def release(self, revision: str) -> Release | None: ...


@dataclass(frozen=True, kw_only=True)
class SameReleases:
    """Compares a release with those that tenants have, one read each; what cannot be read or told is another one."""

    runs: KnowsReleases

    def revisions(self, release: Release, statuses: Iterable[Status]) -> frozenset[str]:
        """The release's revision, and of those that these tenants have, or were to have, the ones that are the same."""
        if not release.tenants:
            return frozenset({release.revision})
        theirs = {one for status in statuses for one in (status.revision_deployed, status.revision_wanted)}
        others = theirs - {"", release.revision}
        return frozenset({release.revision, *(one for one in sorted(others) if self._is_the_same(release, one))})

    def of_former(self, release: Release, former: Run | None) -> bool:
        """Whether a run that is through has brought to everybody what they would get of a release."""
        if former is None or former.state != RunState.SUCCEEDED or former.revision == release.revision:
            return False
        return self._is_the_same(release, former.revision)

    def found_good(self, former: Run) -> bool:
        """Whether what a run is about has been through: itself, or a run that it goes on with.

        Without that, nobody who has the same is passed over: it has not baked, and nobody has looked at its alarms.
        """
        known = (self.runs.run(name) for name in lineage(self.runs, former))
        return any(run.state == RunState.SUCCEEDED for run in known if run)

    def _is_the_same(self, release: Release, revision: str) -> bool:
        try:
            other = self.runs.release(revision)
        except UnreadableError as error:
            logger.error("%s", error)  # noqa: TRY400 - told, no fault
            return False
        return other is not None and release.gives_the_same(other)
