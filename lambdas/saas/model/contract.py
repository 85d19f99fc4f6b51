"""What the toolchain's functions and a release's source have agreed on, as a number; pure.

Functions are of the newest source, builds run the source of a release, and a rollback runs an older one on what newer
ones wrote. `CONTRACT` goes up with a change that a source of before would not stand, `MINIMUM` when the functions no
longer stand the sources of before: the rules are in CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Status

# What this source speaks; a release that is published from it says so. Since 6 components may declare tasks, of which
# functions of before know none: they would take a tenant back over one that is forward-only. Since 7 stages of tenants'
# pipelines ask, before they deploy, whose the stacks are, and since 8 they ask for their assets: of toolchains of
# before nobody answers that.
CONTRACT = 8
# The oldest that the functions of this source can provision and roll back to; 0 are the releases that name none.
# Those below 3 deploy with bootstrap roles that trust whole accounts, which nothing of the factory may assume any more.
MINIMUM = 3
# Since when sources deploy a standby: those of before would take it out of the pipeline.
STANDBYS = 4
# Since when sources hand on what rows say: those of before would take tier and parameters out of the pipeline, and
# refuse ids that begin with a digit.
PARAMETERS = 5
_SINCE = {STANDBYS: "standby_region", PARAMETERS: "tier or parameters, nor ids that begin with a digit"}

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


def contract_needed(status: Status | None, row: Mapping[str, Any] | None = None) -> int:
    """The oldest contract of a release that can deploy a deployment as it is and, if given, as its row wants it.

    The row may be one that is not valid, or the attributes of a record; 0 is any contract.
    """
    row = row or {}
    name = status.id if status else row.get("id")
    if isinstance(name, str) and name[:1].isdigit():
        return PARAMETERS
    if row.get("tier") or row.get("parameters") or (status and status.has_parameters):
        return PARAMETERS
    return STANDBYS if row.get("standby_region") or (status and status.has_standby) else 0


def unfit(release: Release, needs: int) -> str:
    """Tell why a release cannot be deployed to a deployment that needs a contract; empty when it can."""
    if release.contract >= needs:
        return ""
    return (
        f"release {release.revision} knows no {_SINCE[needs]} (its contract is {release.contract}, and {needs} is "
        "needed): a later release deploys it"
    )


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
