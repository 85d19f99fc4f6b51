"""Whether a release is one that CI/CD has published: what the machine was started with, against the object; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.revisions import GATES_METADATA, release_key
from lambdas.saas.model.releases import PUBLISHED_METADATA, Published, Release, tenants_of

# Clocks of builds and of functions are not the same.
_SLACK = timedelta(minutes=5)


class RefusedError(GranaryError):
    """The release is not what CI/CD has published, and nothing of it may be written."""


def genuine(release: Release, published: Published | None, *, now: datetime) -> Release:
    """The release as it was published, if it is that; only CI/CD may write to its object.

    Objects of before say less in their metadata: what they do not say is told by their key, their bytes, and the time
    at which they were written.

    Raises:
        RefusedError: it is not, or it would be published in the future, and no release could follow it.
    """
    if release.key != release_key(release.revision):
        raise _refused(release, f"its object is {release.key}, and must be {release_key(release.revision)}")
    if published is None:
        what = f"version {release.version_id} of {release.key} is not in the releases bucket"
        raise _refused(release, f"{what}, or may not be read")
    if published.sha256 != release.sha256:
        raise _refused(release, f"the sha256 of its object is {published.sha256}, not {release.sha256}")
    # Of what tenants get, the object alone tells: who has started or kept the release may be of before.
    release = replace(release, tenants=tenants_of(published.metadata))
    for name, said in {GATES_METADATA: "", **release.metadata}.items():
        if (found := published.metadata.get(name, said)) != said:
            raise _refused(release, f"its object says {found} for {name}, not {said or 'none'}")
    published_at = published.metadata.get(PUBLISHED_METADATA) or stamp(published.modified)
    if published_at > stamp(now + _SLACK):
        raise _refused(
            release, f"it was published at {published_at}, which is in the future: correct the build's clock"
        )
    return replace(release, published_at=published_at)


def require_judged(release: Release, why_not: str) -> None:
    """Require that the gates that the release needs have passed what it deploys.

    Raises:
        RefusedError: one has not.
    """
    if why_not:
        raise _refused(release, why_not)


def require_same(release: Release, kept: Release) -> None:
    """Require that the release that is kept under this one's revision is this one.

    Raises:
        RefusedError: another object is kept.
    """
    if (kept.version_id, kept.sha256) != (release.version_id, release.sha256):
        raise _refused(release, f"version {kept.version_id} of its object is kept already, not {release.version_id}")


def _refused(release: Release, why: str) -> RefusedError:
    return RefusedError(
        f"release {release.revision} is refused: {why}. Nothing was changed: `granary release` starts the newest "
        "release that CI/CD has published, and a new commit publishes another"
    )
