"""What the toolchain's functions and a release's source have agreed on, as a number; pure.

Functions are of the newest source, builds run the source of a release, and a rollback runs an older one on what newer
ones wrote. `CONTRACT` goes up with a change that a source of before would not stand, `MINIMUM` when the functions no
longer stand the sources of before: the rules are in CONTRIBUTING.md.
"""

from __future__ import annotations

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState

# What this source speaks; a release that is published from it says so.
CONTRACT = 5
# The oldest that the functions of this source can provision and roll back to; 0 are the releases that name none.
# Those below 3 deploy with bootstrap roles that trust whole accounts, which nothing of the factory may assume any more.
MINIMUM = 3
# Since when sources deploy a standby: those of before would take it out of the pipeline.
STANDBYS = 4
# Since when sources hand on what rows say: those of before would take tier and parameters out of the pipeline.
PARAMETERS = 5

# Later functions find by it what earlier ones have left waiting.
_WAITS = "it waits for a newer toolchain"


def mismatch(release: Release) -> str:
    """Tell why these functions cannot handle a release, and what to do; empty when they can."""
    named = f"{_named(release.revision)}{release.contract}"
    if release.contract > CONTRACT:
        return (
            f"{named}, and the factory's functions know {CONTRACT}: {_WAITS}, and goes on by itself when the toolchain "
            "stack has been deployed from that release or a later one"
        )
    if release.contract < MINIMUM:
        return (
            f"{named}, which the factory's functions no longer know: {MINIMUM} is the oldest; publish a newer release "
            "with what is wanted of this one"
        )
    return ""


def _named(revision: str) -> str:
    return f"release {revision} needs contract "


def unfit(release: Release, *, standby: bool, parameters: bool = False) -> str:
    """Tell why a release cannot be deployed to one deployment; empty when it can.

    `standby` is whether that has or wants a standby, `parameters` whether it has or wants a tier or parameters.
    """
    for wanted, needed, named in (
        (standby, STANDBYS, "standby_region"),
        (parameters, PARAMETERS, "tier or parameters"),
    ):
        if wanted and release.contract < needed:
            return (
                f"release {release.revision} knows no {named} (its contract is {release.contract}, and {needed} is "
                "needed): a later release deploys it"
            )
    return ""


def usable(release: Release) -> Release:
    """The release, for who is about to deploy it.

    Raises:
        NotReleasedError: these functions cannot handle it.
    """
    if reason := mismatch(release):
        raise NotReleasedError(reason)
    return release


def has_waited(run: Run, release: Release | None) -> bool:
    """Whether a run was stopped because its release needed newer functions, and these are new enough."""
    # A person's comment, or what Step Functions says, may have the words, too: it does not begin with them.
    if release is None or run.state != RunState.STOPPED or not run.reason.startswith(_named(release.revision)):
        return False
    return _WAITS in run.reason and not mismatch(release)
