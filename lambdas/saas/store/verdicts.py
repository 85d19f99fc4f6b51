"""The verdicts of gates about releases, in the releases bucket: gates write them, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lambdas.common.clock import stamp
from lambdas.common.evidence.eligible import why_not_eligible, why_not_survived
from lambdas.common.evidence.verdict import Judged, judged, survivals_of
from lambdas.common.kept_verdicts import kept_verdicts, verdicts_below
from lambdas.saas.model.releases import Release


class Verdicts(Protocol):
    """Port to the verdicts."""

    def why_not(self, release: Release, *, forward: bool = True) -> str: ...
    def why_not_survived(self, release: Release, *, rings: Sequence[str]) -> str: ...
    def judged(self, release: Release) -> Judged: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseVerdicts:
    """Reads verdicts from the releases bucket (its name)."""

    s3: Any
    bucket: str
    clock: Callable[[], datetime]

    def why_not(self, release: Release, *, forward: bool = True) -> str:
        """Tell why a release may not go on, or not be gone back to (not `forward`); empty when it may.

        One of before the gates needs none, and nothing is read for it.
        """
        if not release.gates:
            return ""
        verdicts, told = kept_verdicts(self.s3, bucket=self.bucket, revision=release.revision)
        bundle, now = release.bundle(self.bucket), stamp(self.clock())
        told += why_not_eligible(bundle, verdicts=verdicts, demands=release.gates, now=now, forward=forward)
        return "; ".join(told)

    def why_not_survived(self, release: Release, *, rings: Sequence[str]) -> str:
        """Tell of which of the rings no tenant has survived a release; empty when one of each has."""
        bundle, now = release.bundle(self.bucket), stamp(self.clock())
        told = []
        for ring in rings:
            verdicts, _ = verdicts_below(self.s3, bucket=self.bucket, prefix=survivals_of(release.revision, ring))
            told.append(why_not_survived(bundle, verdicts=verdicts, ring=ring, now=now))
        return "; ".join(filter(None, told))

    def judged(self, release: Release) -> Judged:
        """Tell what the gates have said, for whoever approves the release; nothing of one that needs none."""
        if not release.gates:
            return Judged()
        return judged(kept_verdicts(self.s3, bucket=self.bucket, revision=release.revision)[0])
