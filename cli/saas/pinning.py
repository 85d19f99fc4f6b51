"""What pinning a tenant means, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.common.errors import ConflictError, NotFoundError
from cli.saas.details import PIN, Details
from lambdas.common.written import cut
from lambdas.saas.model.lifecycle import ENDED, ends
from lambdas.saas.model.record import Wanted
from lambdas.saas.model.releases import Release


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A pin as it is written into a row."""

    revision: str
    reason: str
    until: str = ""
    by: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """What is set."""
        given = dict(zip(PIN, (self.revision, self.reason, self.until, self.by), strict=True))
        return {name: value for name, value in given.items() if value}

    @property
    def gone(self) -> tuple[str, ...]:
        """What an earlier pin may have left."""
        return tuple(name for name in PIN if name not in self.attributes)


def resolved(text: str, revisions: Sequence[str]) -> str:
    """The one of some published revisions that is meant.

    Raises:
        NotFoundError: none is.
        ConflictError: several may be.
    """
    if text in revisions:
        return text
    if not revisions:
        raise NotFoundError(f"no release is published whose revision is or begins with {text}: see `granary status ID`")
    if len(revisions) > 1:
        some = ", ".join(sorted(revisions)[:5])
        raise ConflictError(f"{text} is the beginning of {len(revisions)} releases ({some}): write more of it")
    return revisions[0]


def why_no_pin(details: Details) -> str:
    """Tell why a deployment is not pinned; empty when it may be."""
    if details.row is None:
        return f"{details.id} has no row: put one first"
    status = details.status
    over = status is not None and (status.phase in ENDED or ends(status))
    if over or details.row.get("state") == Wanted.RETIRED:
        return f"{details.id} is retired, or about to be: bring it back first with `granary activate {details.id}`"
    return ""


def what_pin_does(
    details: Details, *, release: Release, before: Release | None, migrated: Release | None = None, until: str
) -> list[str]:
    """What becomes of a deployment; `before` is the release that stands there, as far as that is known.

    `migrated` is the one of its newest forward-only task.
    """
    name, to = details.id, release.revision
    stands = details.status.revision_deployed if details.status else ""
    if not stands:
        told = f"nothing is deployed yet: it is provisioned at {to}"
    elif stands == to:
        told = f"stays at {to}"
    else:
        way = "" if before is None else " back" if release.published_at < before.published_at else " forwards"
        told = f"is taken{way} from {stands} to {to}, by an execution of its pipeline"
    end = until or f"`granary unpin {name}`"
    return [
        f"{name}: {told}",
        *goes_over(details, release, migrated),
        f"{name}: releases, rollbacks and runs that catch up leave it there until {end}",
    ]


def goes_over(details: Details, release: Release, migrated: Release | None) -> list[str]:
    """What a person has to know who goes back over a forward-only task: nothing else holds a pin up."""
    kept = details.status.forward_only if details.status else None
    if kept is None or migrated is None or release.published_at >= migrated.published_at:
        return []
    ran = f"{kept.task} of release {migrated.revision} is forward-only and has run"
    return [f"{details.id}: {ran}: see first whether {release.revision}, and its tasks, fit what it has made"]


def what_unpin_does(details: Details) -> list[str]:
    """What becomes of a deployment."""
    pinned = cut(str((details.row or {}).get("revision")))
    return [f"{details.id}: {pinned} is pinned no longer: the next round of the sweep brings it to the current release"]
